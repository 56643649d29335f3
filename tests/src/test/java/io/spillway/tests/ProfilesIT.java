package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.profiles.v1development.Profile;
import io.opentelemetry.proto.profiles.v1development.Sample;
import io.opentelemetry.proto.resource.v1.Resource;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.GrpcWire;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Ledger;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Wire;
import io.spillway.tests.harness.Yaml;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.HexFormat;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Profiles through a real relay: each request leaves as it came, whatever happens in between. */
@Timeout(300)
class ProfilesIT {
  private static final String SERVICE =
      "opentelemetry.proto.collector.profiles.v1development.ProfilesService";
  private static final String PATH = "/v1development/profiles";
  private static final int REQUESTS = 20;

  @RegisterExtension final Lab lab = new Lab();

  // conformance: G-01, H-01, W-03, R-01, R-06
  @Test
  void profiles_sentBeforeAKill_arriveByteForByteAndUnmerged() throws Exception {
    try (ProfilesSink sink = new ProfilesSink()) {
      sink.down = true;
      RelayProcess relay = lab.relay(yaml(sink));
      assertThat(relay.admin("/api/v1/status")).doesNotContain("profiles");

      try (GrpcWire wire = new GrpcWire(relay::grpc, Encoding.GZIP);
          HttpClient http = HttpClient.newHttpClient()) {
        for (int i = 0; i < REQUESTS; i += 2) {
          Wire.Reply reply = wire.call(SERVICE, "Export", "gzip", request(i));
          assertThat(reply.acknowledged()).as(reply.status()).isTrue();
          assertThat(post(http, relay, "application/x-protobuf", request(i + 1)).statusCode())
              .isEqualTo(200);
        }
      }
      assertThat(relay.admin("/api/v1/status")).contains("\"signal\":\"profiles\"");

      relay.kill();
      sink.down = false;
      relay.start();

      await().until(() -> relay.ledger().buffered() == 0);
      // What was in flight when the relay was killed may arrive twice.
      assertThat(Set.copyOf(sink.bodies())).containsExactlyInAnyOrderElementsOf(requests());
      Ledger ledger = relay.ledger();
      assertThat(ledger.balanced()).isTrue();
      assertThat(ledger.accepted()).containsEntry("profiles", 2L * REQUESTS);
      assertThat(ledger.lanes())
          .filteredOn(lane -> lane.signal().equals("profiles"))
          .singleElement()
          .satisfies(
              lane -> {
                assertThat(lane.routed()).isEqualTo(2L * REQUESTS);
                assertThat(Ledger.sum(lane.delivered())).isEqualTo(2L * REQUESTS);
              });
    }
  }

  @Test
  void profiles_inJson_areRefusedWithAReason() throws Exception {
    try (ProfilesSink sink = new ProfilesSink();
        HttpClient http = HttpClient.newHttpClient()) {
      RelayProcess relay = lab.relay(yaml(sink));

      HttpResponse<String> response = post(http, relay, "application/json", new byte[] {'{', '}'});

      assertThat(response.statusCode()).isEqualTo(415);
      assertThat(response.body()).contains("JSON of profiles is not served");
    }
  }

  private String yaml(ProfilesSink sink) {
    return Yaml.anywhere(lab.directory())
        + """
        exporters:
          otlp_http/sink:
            endpoint: http://127.0.0.1:%d
            compression: none
            probe_interval: 0s
            retry_on_failure: { initial_interval: 100ms, max_interval: 500ms }
        routes:
          - { name: default, exporters: [otlp_http/sink] }
        """
            .formatted(sink.port());
  }

  private static HttpResponse<String> post(
      HttpClient http, RelayProcess relay, String type, byte[] body)
      throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create("http://" + relay.http() + PATH))
            .header("Content-Type", type)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static List<String> requests() {
    return IntStream.range(0, REQUESTS)
        .mapToObj(i -> HexFormat.of().formatHex(request(i)))
        .toList();
  }

  /** Two profiles whose samples mean what the dictionary of this request says. */
  private static byte[] request(int number) {
    ExportProfilesServiceRequest.Builder request = ExportProfilesServiceRequest.newBuilder();
    var scope =
        request
            .addResourceProfilesBuilder()
            .setResource(
                Resource.newBuilder()
                    .addAttributes(
                        KeyValue.newBuilder()
                            .setKey("service.name")
                            .setValue(AnyValue.newBuilder().setStringValueStrindex(1))))
            .addScopeProfilesBuilder();
    for (int i = 0; i < 2; i++) {
      scope.addProfiles(
          Profile.newBuilder()
              .addSamples(Sample.newBuilder().setStackIndex(1).addValues(number))
              .setTimeUnixNano(number));
    }
    request
        .getDictionaryBuilder()
        .addStringTable("")
        .addStringTable("service " + number)
        .addStackTableBuilder();
    return request.build().toByteArray();
  }

  /** Keeps the bodies of what it takes. */
  private static final class ProfilesSink implements AutoCloseable {
    private final HttpServer server;
    private final Queue<String> bodies = new ConcurrentLinkedQueue<>();
    volatile boolean down;

    ProfilesSink() throws IOException {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
      server.createContext(
          PATH,
          exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            if (!down) {
              bodies.add(HexFormat.of().formatHex(body));
            }
            exchange.sendResponseHeaders(down ? 503 : 200, -1);
            exchange.close();
          });
      server.start();
    }

    int port() {
      return server.getAddress().getPort();
    }

    List<String> bodies() {
      return List.copyOf(bodies);
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }
}
