package io.spillway.otlp.wire;

import java.util.Locale;

/**
 * Something in a valid protobuf request that strict sinks refuse all of it for.
 *
 * @param text at which byte of the request, which field, and what is wrong with it
 */
public record Flaw(Kind kind, String text) {

  /** What can be wrong. */
  public enum Kind {
    /** Neither 16 bytes nor none (OTLP: "invalid"; the Collector refuses the request). */
    TRACE_ID("trace id", "Send trace ids of 16 bytes"),
    /** Neither 8 bytes nor none. */
    SPAN_ID("span id", "Send span ids of 8 bytes"),
    /** A string that is not UTF-8: most protobuf runtimes refuse the request. */
    TEXT("text", "Encode text as UTF-8");

    private final String label = name().toLowerCase(Locale.ROOT);
    private final String noun;
    private final String remedy;

    Kind(String noun, String remedy) {
      this.noun = noun;
      this.remedy = remedy;
    }

    /** The name in meters. */
    public String label() {
      return label;
    }

    String noun() {
      return noun;
    }

    /** What the sender can do about it, as the beginning of a sentence. */
    public String remedy() {
      return remedy;
    }
  }
}
