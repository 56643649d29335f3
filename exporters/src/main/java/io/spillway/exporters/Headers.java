package io.spillway.exporters;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Headers sent with a request, in order. The values are secrets: they are never printed.
 *
 * @param secrets parts of values that are secret by themselves, and what values were made of
 */
record Headers(Map<String, String> values, List<String> secrets) {

  Headers {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    secrets = List.copyOf(secrets);
  }

  Headers(Map<String, String> values) {
    this(values, List.of());
  }

  /** These and one more, whose value holds a secret. */
  Headers with(String name, String value, String secret) {
    Map<String, String> more = new LinkedHashMap<>(values);
    more.put(name, value);
    List<String> moreSecrets = new ArrayList<>(secrets);
    moreSecrets.add(secret);
    return new Headers(more, moreSecrets);
  }

  /**
   * The text with every header value of some length taken out: sinks like to quote what they got.
   */
  String redact(String text) {
    String redacted = text;
    for (String value : values.values()) {
      redacted = redact(redacted, value);
    }
    for (String secret : secrets) {
      redacted = redact(redacted, secret);
    }
    return redacted;
  }

  private static String redact(String text, String secret) {
    return secret.length() >= SHORTEST_SECRET ? text.replace(secret, "[redacted]") : text;
  }

  /** Shorter values are words like {@code eu}, and would make text unreadable without need. */
  private static final int SHORTEST_SECRET = 6;

  @Override
  public String toString() {
    return "Headers" + values.keySet();
  }
}
