package io.spillway.exporters;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import java.util.List;

/** How requests stand in a file. The end of its name tells: {@code .otlp}, {@code .jsonl.zst}. */
public enum RequestFormat {
  /** Each request in protobuf, behind its length. */
  PROTO(".otlp"),
  /** Each request in OTLP/JSON, on a line. */
  JSON(".jsonl");

  private final String suffix;

  RequestFormat(String suffix) {
    this.suffix = suffix;
  }

  /** The format that requests of a signal are written in: those in development have no JSON. */
  RequestFormat of(Signal signal) {
    return signal.isStable() ? this : PROTO;
  }

  /** What the name of a file ends with that is not compressed. */
  public String suffix() {
    return suffix;
  }

  /** What the name of a file ends with. */
  String suffix(Codec compression) {
    return suffix
        + switch (compression) {
          case NONE -> "";
          case GZIP -> ".gz";
          case ZSTD -> ".zst";
        };
  }

  /** Whether a name ends as one of these. */
  public static boolean isRequestFile(String name) {
    return List.of(values()).stream()
        .anyMatch(
            format ->
                List.of(Codec.values()).stream()
                    .anyMatch(codec -> name.endsWith(format.suffix(codec))));
  }

  /** How a file of this name is compressed. */
  static Codec compression(String name) {
    return name.endsWith(".gz") ? Codec.GZIP : name.endsWith(".zst") ? Codec.ZSTD : Codec.NONE;
  }

  /** The format of a file of this name; protobuf if it does not tell. */
  static RequestFormat of(String name) {
    return name.endsWith(JSON.suffix(compression(name))) ? JSON : PROTO;
  }
}
