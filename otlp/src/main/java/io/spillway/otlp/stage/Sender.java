package io.spillway.otlp.stage;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who sent a request, as far as routes and metering ask: never more than the tenant and the headers
 * that some route is matched by. One for all requests of a connection that say the same.
 *
 * @param tenant up to {@link #MAX_TENANT_LENGTH} printable ASCII characters; empty if there is none
 * @param headers values by name, in lower case; those that were not sent are missing
 */
public record Sender(String tenant, Map<String, String> headers) {
  /** So long may a tenant be: the path of a SPIFFE ID fits, and a metric's label stays readable. */
  public static final int MAX_TENANT_LENGTH = 128;

  /** Nothing is known. */
  public static final Sender UNKNOWN = new Sender("", Map.of());

  public Sender {
    headers = Map.copyOf(headers);
    String flaw = tenant.isEmpty() ? null : flaw(tenant);
    if (flaw != null) {
      throw new IllegalArgumentException("tenant: " + flaw);
    }
  }

  /** The value of a header that some route is matched by; null if it was not sent. */
  public @Nullable String header(String name) {
    return headers.get(name);
  }

  /** What keeps a text from being a tenant; null if it can be one. */
  public static @Nullable String flaw(String tenant) {
    if (tenant.isEmpty() || tenant.length() > MAX_TENANT_LENGTH) {
      return tenant.length() + " characters (expected 1 to " + MAX_TENANT_LENGTH + ")";
    }
    for (int i = 0; i < tenant.length(); i++) {
      char c = tenant.charAt(i);
      if (c <= ' ' || c > '~' || c == '"' || c == '\\') {
        return "character %d is U+%04X (expected printable ASCII without space, \" and \\)"
            .formatted(i + 1, (int) c);
      }
    }
    return null;
  }
}
