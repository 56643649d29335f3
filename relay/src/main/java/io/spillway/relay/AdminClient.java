package io.spillway.relay;

import io.spillway.relay.admin.AdminConfig;
import io.spillway.relay.buffer.CommandFailure;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Asks a running relay over its admin address. */
final class AdminClient {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final int BAD_REQUEST = 400;
  private static final int NOT_FOUND = 404;
  private static final int CONFLICT = 409;

  private final String base;
  private final @Nullable String token;

  private AdminClient(String base, @Nullable String token) {
    this.base = base;
    this.token = token;
  }

  /**
   * @param address instead of the configured one: {@code HOST:PORT}, or a URL; null for that one
   * @throws CommandFailure if the address is not known, or is none
   */
  static AdminClient of(AdminConfig config, @Nullable String address) throws CommandFailure {
    if (address == null && config.port() == 0) {
      throw CommandFailure.badUsage(
          "the configuration says admin::endpoint port 0. Name the address that the running relay"
              + " logged with --admin.");
    }
    String at = address != null ? address : host(config.host()) + ":" + config.port();
    String base = (at.contains("://") ? at : "http://" + at).replaceAll("/+$", "");
    try {
      if (URI.create(base).getHost() != null) {
        return new AdminClient(base, config.token());
      }
    } catch (IllegalArgumentException e) {
      // Said below, like an address without a host.
    }
    throw CommandFailure.badUsage("--admin: \"" + at + "\" is no address (expected HOST:PORT)");
  }

  private static String host(String host) {
    String reachable = host.equals("0.0.0.0") ? "127.0.0.1" : host.equals("::") ? "::1" : host;
    return reachable.contains(":") ? "[" + reachable + "]" : reachable;
  }

  /**
   * Posts, and returns the answer.
   *
   * @param path with the query, encoded
   * @throws CommandFailure if the relay says that it was asked for something that cannot be
   * @throws IOException if it cannot be reached, or answers otherwise
   */
  JsonNode post(String path) throws CommandFailure, IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(base + path))
            .timeout(TIMEOUT)
            .POST(HttpRequest.BodyPublishers.noBody());
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
    try (HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build()) {
      HttpResponse<String> answer =
          http.send(request.build(), HttpResponse.BodyHandlers.ofString());
      String text = answer.body().strip();
      return switch (answer.statusCode()) {
        case 200 -> JsonMapper.shared().readTree(text);
        case BAD_REQUEST, NOT_FOUND, CONFLICT -> throw CommandFailure.badUsage(text);
        default ->
            throw new IOException(
                "the relay at %s answered %d: %s".formatted(base, answer.statusCode(), text));
      };
    } catch (ConnectException e) {
      throw new IOException("no relay answers at " + base + ". Is it running?", e);
    }
  }
}
