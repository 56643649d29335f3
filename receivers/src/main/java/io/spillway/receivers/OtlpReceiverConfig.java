package io.spillway.receivers;

import io.spillway.config.Section;
import io.spillway.otlp.stage.InvalidItems;
import org.jspecify.annotations.Nullable;

/**
 * What a user writes under {@code receivers}: {@code otlp::protocols} with {@code grpc}, {@code
 * http} or both, as in the Collector.
 *
 * @param grpc null if the protocol is not served
 * @param http null if the protocol is not served
 * @param invalidItems what the gate does with items that strict sinks refuse
 * @param admission how much memory requests may take
 * @param tenant null if requests have none
 */
public record OtlpReceiverConfig(
    @Nullable Grpc grpc,
    @Nullable Http http,
    InvalidItems invalidItems,
    AdmissionConfig admission,
    @Nullable TenantConfig tenant) {
  static final Endpoint DEFAULT_GRPC_ENDPOINT = new Endpoint("127.0.0.1", 4317);
  static final Endpoint DEFAULT_HTTP_ENDPOINT = new Endpoint("127.0.0.1", 4318);

  /** OTLP §OTLP/gRPC Request, §OTLP/HTTP Request: 64 MiB is recommended. */
  static final int DEFAULT_MAX_REQUEST_BYTES = 64 << 20;

  private static final int MAX_REQUEST_MIB = 1024;

  /** Both protocols on loopback. */
  public static final OtlpReceiverConfig DEFAULT =
      new OtlpReceiverConfig(
          new Grpc(DEFAULT_GRPC_ENDPOINT, DEFAULT_MAX_REQUEST_BYTES),
          new Http(DEFAULT_HTTP_ENDPOINT, DEFAULT_MAX_REQUEST_BYTES));

  /** With the default of everything that does not belong to a protocol. */
  public OtlpReceiverConfig(@Nullable Grpc grpc, @Nullable Http http) {
    this(grpc, http, InvalidItems.PARTIAL_SUCCESS, AdmissionConfig.DEFAULT, null);
  }

  /**
   * Reads the {@code receivers} section. One without any key means {@link #DEFAULT}; a protocol
   * that is written with nothing in it is served on its default endpoint.
   */
  public static OtlpReceiverConfig read(Section receivers) {
    boolean configured = receivers.keys().contains("otlp");
    Section otlp = receivers.section("otlp");
    Section protocols = otlp.section("protocols");
    boolean grpc = protocols.keys().contains("grpc");
    boolean http = protocols.keys().contains("http");
    Grpc grpcConfig = Grpc.read(protocols.section("grpc"));
    Http httpConfig = Http.read(protocols.section("http"));
    InvalidItems invalidItems =
        otlp.choice("invalid_items", InvalidItems.class, InvalidItems.PARTIAL_SUCCESS);
    AdmissionConfig admission = AdmissionConfig.read(otlp);
    TenantConfig tenant =
        TenantConfig.read(
            otlp,
            (grpc && asksForCertificates(grpcConfig.guard().listener()))
                || (http && asksForCertificates(httpConfig.guard().listener())));
    if (!configured) {
      return receivers.keys().isEmpty() ? DEFAULT : new OtlpReceiverConfig(null, null);
    }
    if (!grpc && !http) {
      otlp.problem("protocols", "no protocol is configured (expected grpc, http or both)");
    }
    return new OtlpReceiverConfig(
        grpc ? grpcConfig : null, http ? httpConfig : null, invalidItems, admission, tenant);
  }

  private static boolean asksForCertificates(ListenerConfig listener) {
    return listener.tls() != null && listener.tls().clientCaFile() != null;
  }

  /**
   * OTLP/gRPC.
   *
   * @param maxRequestBytes limit of one request, before and after decompression
   */
  public record Grpc(Endpoint endpoint, int maxRequestBytes, GrpcGuard guard) {
    Grpc(Endpoint endpoint, int maxRequestBytes) {
      this(endpoint, maxRequestBytes, GrpcGuard.DEFAULT);
    }

    private static Grpc read(Section section) {
      Endpoint endpoint = Endpoint.read(section, DEFAULT_GRPC_ENDPOINT);
      int mib =
          section.integer(
              "max_recv_msg_size_mib", DEFAULT_MAX_REQUEST_BYTES >> 20, 1, MAX_REQUEST_MIB);
      return new Grpc(endpoint, mib << 20, GrpcGuard.read(section));
    }
  }

  /**
   * OTLP/HTTP.
   *
   * @param maxRequestBytes limit of one request body, before and after decompression
   */
  public record Http(Endpoint endpoint, int maxRequestBytes, HttpService service, HttpGuard guard) {
    /** The paths of the specification, no pages, and open to anybody. */
    Http(Endpoint endpoint, int maxRequestBytes) {
      this(endpoint, maxRequestBytes, HttpService.DEFAULT, HttpGuard.DEFAULT);
    }

    private static Http read(Section section) {
      Endpoint endpoint = Endpoint.read(section, DEFAULT_HTTP_ENDPOINT);
      long bytes =
          section.bytes(
              "max_request_body_size", DEFAULT_MAX_REQUEST_BYTES, 1, (long) MAX_REQUEST_MIB << 20);
      return new Http(
          endpoint, Math.toIntExact(bytes), HttpService.read(section), HttpGuard.read(section));
    }
  }
}
