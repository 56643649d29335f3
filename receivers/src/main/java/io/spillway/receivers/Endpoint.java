package io.spillway.receivers;

import io.spillway.config.Section;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where to listen: {@code 127.0.0.1:4317}, {@code localhost:4317}, {@code [::1]:4317}, {@code
 * :4317} for all addresses, or {@code unix:///run/otlp.sock} for a Unix domain socket.
 *
 * @param host a name or an address, an IPv6 one without brackets; empty with a socket
 * @param port 0 takes a free one, and stands with a socket
 * @param socket the file of a Unix domain socket; null for an address of a network
 */
public record Endpoint(String host, int port, @Nullable Path socket) {
  private static final String UNIX = "unix://";

  /** Linux: unix(7), {@code sun_path}, with the zero at its end. */
  private static final int MAX_SOCKET_BYTES = 107;

  private static final int MAX_PORT = 65_535;
  private static final String ALL_ADDRESSES = "0.0.0.0";
  private static final Pattern FORM =
      Pattern.compile(
          "(?:\\[(?<ipv6>[0-9a-fA-F:.%]+)]|(?<host>[^\\s:/\\[\\]]*)):(?<port>\\d{1,5})");

  public Endpoint(String host, int port) {
    this(host, port, null);
  }

  /** The endpoint that the text describes; null if it describes none. */
  static @Nullable Endpoint parse(String text) {
    if (text.startsWith(UNIX)) {
      return socket(text.substring(UNIX.length()));
    }
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

  private static @Nullable Endpoint socket(String file) {
    boolean fits = file.getBytes(StandardCharsets.UTF_8).length <= MAX_SOCKET_BYTES;
    return file.startsWith("/") && fits ? new Endpoint("", 0, Path.of(file)) : null;
  }

  static Endpoint read(Section section, Endpoint fallback) {
    String text = section.string("endpoint", fallback.toString());
    boolean unix = section.choice("transport", Kind.class, Kind.TCP) == Kind.UNIX;
    Endpoint endpoint = parse(unix && text.startsWith("/") ? UNIX + text : text);
    if (unix && endpoint != null && endpoint.socket == null) {
      section.problem(
          "endpoint",
          "\"" + text + "\" is no socket file (expected an absolute path with transport: unix)");
      return fallback;
    }
    if (endpoint == null) {
      section.problem(
          "endpoint",
          "\""
              + text
              + "\" is not an address to listen on (expected host:port, for example "
              + fallback
              + ", or unix:///run/otlp.sock of at most "
              + MAX_SOCKET_BYTES
              + " bytes)");
      return fallback;
    }
    return endpoint;
  }

  /** The Collector's {@code transport}. */
  private enum Kind {
    TCP,
    UNIX
  }

  @Override
  public String toString() {
    if (socket != null) {
      return UNIX + socket;
    }
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
