package io.spillway.receivers;

import io.spillway.otlp.stage.Sender;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads from the head of a request who sends it: the tenant, and the headers that the gate asks
 * for. Nothing else is looked at, so nothing else can be kept. Requests of a connection that say
 * the same get the same {@link Sender}. Safe on any thread.
 */
final class SenderReader {
  /** A header that is longer is as good as none: no route is meant by it. */
  static final int MAX_VALUE_LENGTH = 1024;

  private final @Nullable TenantConfig config;
  private final Supplier<Set<String>> asked;

  /**
   * @param config null if requests have no tenant
   * @param asked for names of headers, with every request
   */
  SenderReader(@Nullable TenantConfig config, Supplier<Set<String>> asked) {
    this.config = config;
    this.asked = asked;
  }

  /**
   * @param headers gives all values of a header
   * @throws SenderException if the request says a tenant that cannot be one
   */
  Sender read(SenderConnection connection, Function<String, List<String>> headers)
      throws SenderException {
    Set<String> names = asked.get();
    if (config == null && names.isEmpty()) {
      return Sender.UNKNOWN;
    }
    Sender last = connection.sender();
    String tenant = config == null ? "" : tenant(config, connection, headers, last.tenant());
    Map<String, String> values = values(names, headers, last);
    if (tenant.equals(last.tenant()) && values.equals(last.headers())) {
      return last;
    }
    Sender sender = new Sender(tenant, values);
    connection.sender(sender);
    return sender;
  }

  /**
   * @param known a tenant that was found good before
   */
  private static String tenant(
      TenantConfig config,
      SenderConnection connection,
      Function<String, List<String>> headers,
      String known)
      throws SenderException {
    for (TenantConfig.Source source : config.from()) {
      switch (source) {
        case CLIENT_CERTIFICATE -> {
          String tenant = connection.certificateTenant();
          if (!tenant.isEmpty()) {
            return checked(tenant, known, "client certificate");
          }
        }
        case HEADER -> {
          List<String> sent = headers.apply(config.header());
          if (sent.size() > 1) {
            throw new SenderException(
                "tenant: header "
                    + config.header()
                    + " is there "
                    + sent.size()
                    + " times (expected once). Nothing of this request was stored.");
          }
          if (!sent.isEmpty()) {
            return checked(sent.getFirst(), known, "header " + config.header());
          }
        }
      }
    }
    return "";
  }

  /** The text itself is not repeated: whoever misplaced a secret shall not find it in a log. */
  private static String checked(String tenant, String known, String where) throws SenderException {
    String flaw = tenant.equals(known) && !tenant.isEmpty() ? null : Sender.flaw(tenant);
    if (flaw != null) {
      throw new SenderException(
          "tenant: " + where + ": " + flaw + ". Nothing of this request was stored.");
    }
    return tenant;
  }

  /** Several lines of one header are one value (RFC 9110 §5.3). */
  private static Map<String, String> values(
      Set<String> names, Function<String, List<String>> headers, Sender last) {
    if (names.isEmpty()) {
      return Map.of();
    }
    Map<String, String> found = null;
    boolean same = true;
    for (String name : names) {
      List<String> sent = headers.apply(name);
      String value = sent.size() == 1 ? sent.getFirst() : String.join(", ", sent);
      boolean usable = !sent.isEmpty() && value.length() <= MAX_VALUE_LENGTH;
      same &= Objects.equals(usable ? value : null, last.header(name));
      if (usable) {
        found = found == null ? new HashMap<>() : found;
        found.put(name, value);
      }
    }
    boolean asBefore = same && (found == null ? 0 : found.size()) == last.headers().size();
    return asBefore ? last.headers() : found == null ? Map.of() : found;
  }
}
