package io.spillway.receivers;

import io.spillway.config.Section;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where to listen: {@code 127.0.0.1:4317}, {@code localhost:4317}, {@code [::1]:4317}, or {@code
 * :4317} for all addresses.
 *
 * @param host a name or an address, an IPv6 one without brackets
 * @param port 0 takes a free one
 */
public record Endpoint(String host, int port) {
  private static final int MAX_PORT = 65_535;
  private static final String ALL_ADDRESSES = "0.0.0.0";
  private static final Pattern FORM =
      Pattern.compile(
          "(?:\\[(?<ipv6>[0-9a-fA-F:.%]+)]|(?<host>[^\\s:/\\[\\]]*)):(?<port>\\d{1,5})");

  /** The endpoint that the text describes; null if it describes none. */
  static @Nullable Endpoint parse(String text) {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      return null;
    }
    int port = Integer.parseInt(form.group("port"));
    if (port > MAX_PORT) {
      return null;
    }
    String ipv6 = form.group("ipv6");
    if (ipv6 != null) {
      return new Endpoint(ipv6, port);
    }
    String host = form.group("host");
    return new Endpoint(host == null || host.isEmpty() ? ALL_ADDRESSES : host, port);
  }

  static Endpoint read(Section section, Endpoint fallback) {
    String text = section.string("endpoint", fallback.toString());
    Endpoint endpoint = parse(text);
    if (endpoint == null) {
      section.problem(
          "endpoint",
          "\""
              + text
              + "\" is not an address to listen on (expected host:port, for example "
              + fallback
              + ")");
      return fallback;
    }
    return endpoint;
  }

  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
