package io.spillway.exporters;

import io.spillway.config.Section;
import io.spillway.otlp.Codec;
import io.spillway.otlp.stage.DialPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a user writes about one exporter. */
public sealed interface ExporterConfig
    permits OtlpGrpcConfig, OtlpHttpConfig, FileConfig, DebugConfig {

  /**
   * Reads {@code exporters}: ids {@code type} or {@code type/name}, in the order written. What is
   * wrong is recorded as problems of the sections; an exporter with problems may be missing from
   * the result or hold defaults, so nothing may be made of it before the problems are looked at.
   */
  static Map<String, ExporterConfig> readAll(Section root) {
    return ExporterConfigReader.readAll(root);
  }

  /** The component id as written, for example {@code otlp_grpc/primary}. */
  String id();

  /** The codec that requests to this sink are compressed with. */
  Codec codec();

  /** Where this exporter will dial, for the policy check at validation; empty if nowhere. */
  List<Destination> destinations();

  /** The region the sink is in, as the configuration claims; null if it does not. */
  @Nullable String region();

  /** What the sink or the network charges for a GiB on the wire; 0 if not given. */
  double costPerGib();

  /** Idle for this long, it is sent an empty request; zero if not. */
  default Duration probeInterval() {
    return Duration.ZERO;
  }

  /** Whether {@code dangerously_allow_plaintext: true} is written. */
  boolean plaintextAllowed();

  /** This exporter, as the egress policy knows it. */
  default DialPolicy.Caller caller() {
    return new DialPolicy.Caller(id(), region(), plaintextAllowed());
  }

  /**
   * A place to dial.
   *
   * @param host a name or a literal address, without brackets
   */
  record Destination(String host, int port, DialPolicy.Scheme scheme) {

    /**
     * A sink.
     *
     * @param plaintext whether nothing is encrypted on the way
     */
    Destination(String host, int port, boolean plaintext) {
      this(host, port, plaintext ? DialPolicy.Scheme.HTTP : DialPolicy.Scheme.HTTPS);
    }

    /** This place, as the egress policy knows it. */
    public DialPolicy.Target target(DialPolicy.Caller caller) {
      return new DialPolicy.Target(caller, scheme, host, port);
    }
  }
}
