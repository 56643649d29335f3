package io.spillway.relay.admin;

import io.spillway.config.Section;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The {@code admin} section.
 *
 * @param host where the admin server listens
 * @param port 0 for a free one
 * @param token asked for as {@code Authorization: Bearer …} on everything but health; required
 *     unless the host is loopback
 */
public record AdminConfig(String host, int port, @Nullable String token) {

  private static final String DEFAULT_ENDPOINT = "127.0.0.1:13133";

  public static AdminConfig read(Section admin) {
    String endpoint = admin.string("endpoint", DEFAULT_ENDPOINT);
    String token = admin.optionalString("token");
    int colon = endpoint.lastIndexOf(':');
    int port = colon < 0 ? -1 : port(endpoint.substring(colon + 1));
    if (port < 0) {
      admin.problem(
          "endpoint",
          "\"%s\" is not an address (expected host:port, for example %s)"
              .formatted(endpoint, DEFAULT_ENDPOINT));
      return new AdminConfig("127.0.0.1", 0, token);
    }
    String host = endpoint.substring(0, colon).replace("[", "").replace("]", "");
    AdminConfig config = new AdminConfig(host.isEmpty() ? "0.0.0.0" : host, port, token);
    if (!config.isLoopback() && (token == null || token.isBlank())) {
      admin.problem(
          "token",
          "missing: outside loopback the admin server needs one (expected for example"
              + " \"${env:ADMIN_TOKEN}\")");
    }
    return config;
  }

  private static int port(String text) {
    try {
      int port = Integer.parseInt(text);
      return port >= 0 && port <= 65_535 ? port : -1;
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  private boolean isLoopback() {
    InetSocketAddress address = new InetSocketAddress(host, port);
    return address.getAddress() != null && address.getAddress().isLoopbackAddress();
  }

  /** Without the token. */
  @Override
  public String toString() {
    return "AdminConfig[" + host + ":" + port + "]";
  }
}
