package io.spillway.exporters;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where to connect, and what to ask for there.
 *
 * @param host a name or a literal address, without brackets
 * @param path begins with a slash; {@code /} if none was written
 */
record Endpoint(String host, int port, boolean plaintext, String path) {

  /** Written by hand: {@code java.net.URI} takes no underscore in a host name, Docker does. */
  private static final Pattern URL =
      Pattern.compile("(?<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://(?<authority>[^/]*)(?<path>/.*)?");

  private static final Pattern AUTHORITY =
      Pattern.compile("(?:\\[(?<v6>[0-9a-fA-F:.]+)]|(?<name>[a-zA-Z0-9._-]+))(?::(?<port>\\d+))?");

  private static final Pattern PATH = Pattern.compile("[\\x21-\\x7e&&[^?#]]*");

  /**
   * Reads {@code https://host[:port][/path]} or the same with {@code http}; the port is 443 or 80
   * unless written (OTLP exporter specification §Endpoint URLs).
   *
   * @throws IllegalArgumentException saying what is wrong with it, without repeating it
   */
  static Endpoint parseUrl(String text) {
    Matcher url = URL.matcher(text);
    if (!url.matches()) {
      throw new IllegalArgumentException("is not a URL (expected https://host:port)");
    }
    boolean plaintext =
        switch (url.group("scheme").toLowerCase(Locale.ROOT)) {
          case "http" -> true;
          case "https" -> false;
          default ->
              throw new IllegalArgumentException(
                  "has the scheme \"" + url.group("scheme") + "\" (expected http or https)");
        };
    String path = url.group("path") == null ? "/" : url.group("path");
    if (!PATH.matcher(path).matches()) {
      throw new IllegalArgumentException(
          "has a query, a fragment or an unencoded character in its path (expected a plain path)");
    }
    return authority(url.group("authority"), plaintext, plaintext ? 80 : 443, path);
  }

  /**
   * Reads a gRPC endpoint: a URL without a path, or {@code host:port}.
   *
   * @param plaintext whether {@code host:port} means no TLS; a scheme wins over it
   * @throws IllegalArgumentException saying what is wrong with it, without repeating it
   */
  static Endpoint parseGrpc(String text, boolean plaintext) {
    if (!text.contains("://")) {
      return authority(text, plaintext, 0, "/");
    }
    Endpoint endpoint = parseUrl(text);
    if (!endpoint.path.equals("/")) {
      throw new IllegalArgumentException("has a path, which gRPC does not use (expected none)");
    }
    return endpoint;
  }

  private static Endpoint authority(String text, boolean plaintext, int defaultPort, String path) {
    if (text.contains("@")) {
      throw new IllegalArgumentException("has credentials in it (put them into headers)");
    }
    Matcher matcher = AUTHORITY.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("has no valid host and port (expected host:port)");
    }
    String host = matcher.group("v6") == null ? matcher.group("name") : matcher.group("v6");
    return new Endpoint(host, port(matcher.group("port"), defaultPort), plaintext, path);
  }

  private static int port(@Nullable String digits, int fallback) {
    int port = fallback;
    if (digits != null) {
      port = digits.length() > 5 ? 0 : Integer.parseInt(digits);
    }
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("has no valid port (expected 1 to 65535)");
    }
    return port;
  }

  /** This endpoint with a path below its own (OTLP exporter specification §Endpoint URLs). */
  Endpoint below(String subPath) {
    String base = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    return new Endpoint(host, port, plaintext, base + subPath);
  }

  /** {@code host:port}, with brackets where an IPv6 address needs them. */
  String authority() {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }

  ExporterConfig.Destination destination() {
    return new ExporterConfig.Destination(host, port, plaintext);
  }
}
