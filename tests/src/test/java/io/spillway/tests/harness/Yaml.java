package io.spillway.tests.harness;

import java.nio.file.Path;

/** Configurations for relays under test: what all have in common. */
public final class Yaml {

  private Yaml() {}

  /** Free ports of 127.0.0.1, the buffer below {@code directory}; the exporters are to follow. */
  public static String anywhere(Path directory) {
    return head(directory, "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0");
  }

  /**
   * The usual ports of a loopback address of its own, the same after each restart, so that senders
   * find the relay where it was.
   */
  public static String fixed(Path directory) {
    String address = Loopback.address();
    return head(directory, address + ":4317", address + ":4318", address + ":13133");
  }

  private static String head(Path directory, String grpc, String http, String admin) {
    return """
    receivers:
      otlp:
        protocols:
          grpc: { endpoint: "%s" }
          http: { endpoint: "%s" }
    admin: { endpoint: "%s" }
    buffer:
      directory: %s
      max_bytes: 2GiB
      min_free: 64MiB
    """
        .formatted(grpc, http, admin, directory.resolve("buffer"));
  }

  /** One line of {@code exporters} that fits the sink, with quick retries. */
  public static String exporter(String name, CapturingSink sink, String compression) {
    return "  %s: { endpoint: \"%s\", compression: %s, timeout: 10s, retry_on_failure: {%s} }\n"
        .formatted(
            id(name, sink),
            sink.endpoint(),
            compression,
            " initial_interval: 100ms, max_interval: 500ms ");
  }

  /** The id of the exporter that {@link #exporter} writes. */
  public static String id(String name, CapturingSink sink) {
    return switch (sink.protocol()) {
      case GRPC -> "otlp_grpc/" + name;
      case HTTP -> "otlp_http/" + name;
    };
  }

  /** A relay with one sink and one route. */
  public static String toOneSink(String head, CapturingSink sink) {
    return head
        + "exporters:\n"
        + exporter("sink", sink, "gzip")
        + "routes:\n  - { name: default, exporters: [%s] }\n".formatted(id("sink", sink));
  }
}
