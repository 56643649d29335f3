package io.spillway.exporters;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Headers sent with every request, in order. The values are secrets: they are never printed. */
record Headers(Map<String, String> values) {

  Headers {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /**
   * The text with every header value of some length taken out: sinks like to quote what they got.
   */
  String redact(String text) {
    String redacted = text;
    for (String value : values.values()) {
      if (value.length() >= SHORTEST_SECRET) {
        redacted = redacted.replace(value, "[redacted]");
      }
    }
    return redacted;
  }

  /** Shorter values are words like {@code eu}, and would make text unreadable without need. */
  private static final int SHORTEST_SECRET = 6;

  @Override
  public String toString() {
    return "Headers" + values.keySet();
  }
}
