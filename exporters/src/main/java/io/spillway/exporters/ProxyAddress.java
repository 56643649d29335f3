package io.spillway.exporters;

import io.spillway.otlp.stage.DialPolicy;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP proxy that is asked to CONNECT to a sink.
 *
 * @param host a name or a literal address, without brackets
 * @param authorization the value of {@code Proxy-Authorization}, a secret; null without one
 */
record ProxyAddress(String host, int port, @Nullable String authorization) {

  /**
   * Reads {@code http://[user:password@]host[:port]}; user and password may be percent-encoded.
   *
   * @throws IllegalArgumentException saying what is wrong with it, without repeating it
   */
  static ProxyAddress parse(String text) {
    int start = text.indexOf("://") + 3;
    int at = text.lastIndexOf('@');
    boolean credentials = start >= 3 && at >= start;
    Endpoint endpoint =
        Endpoint.parseUrl(credentials ? text.substring(0, start) + text.substring(at + 1) : text);
    if (!endpoint.plaintext()) {
      throw new IllegalArgumentException(
          "is an https proxy, which is not supported (expected http://host:port; TLS to the sink"
              + " goes through it end to end)");
    }
    if (!endpoint.path().equals("/")) {
      throw new IllegalArgumentException("has a path, which a proxy has not (expected none)");
    }
    return new ProxyAddress(
        endpoint.host(),
        endpoint.port(),
        credentials ? authorization(text.substring(start, at)) : null);
  }

  /** RFC 7617 §2. A plus sign means itself: this is no form. */
  private static String authorization(String userInfo) {
    String credentials;
    try {
      credentials = URLDecoder.decode(userInfo.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "has a user or password that is not percent-encoded well", e);
    }
    return "Basic "
        + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
  }

  ExporterConfig.Destination destination() {
    return new ExporterConfig.Destination(host, port, DialPolicy.Scheme.PROXY);
  }

  /** {@code host:port}, with brackets where an IPv6 address needs them. */
  String authority() {
    return new Endpoint(host, port, true, "/").authority();
  }

  /** Without the credentials. */
  @Override
  public String toString() {
    return authority();
  }
}
