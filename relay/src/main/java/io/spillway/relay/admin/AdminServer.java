package io.spillway.relay.admin;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * Serves the admin API. Health is open to all; the rest asks for the token if one is configured.
 */
public final class AdminServer implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(AdminServer.class);
  private static final int THREADS = 2;
  private static final int BACKLOG = 64;
  private static final String JSON = "application/json";
  private static final String TEXT = "text/plain; charset=utf-8";
  private static final String LANES = "/api/v1/lanes/";
  private static final String DROP = "/drop";
  private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

  private final AdminConfig config;
  private final HttpServer server;
  private final ExecutorService threads =
      Executors.newFixedThreadPool(
          THREADS, Thread.ofPlatform().daemon().name("admin-", 0).factory());

  /**
   * Binds and starts.
   *
   * @throws IOException naming the address, if it cannot be bound
   */
  public AdminServer(AdminConfig config, AdminView view) throws IOException {
    this.config = config;
    this.server = bind(config);
    server.setExecutor(threads);
    server.createContext("/livez", get("/livez", () -> new Body(200, TEXT, "ok\n")));
    server.createContext(
        "/readyz",
        get(
            "/readyz",
            () -> view.ready() ? new Body(200, TEXT, "ok\n") : new Body(503, TEXT, "not ready\n")));
    server.createContext(
        "/metrics", secured(get("/metrics", () -> new Body(200, PROMETHEUS, view.metrics()))));
    server.createContext(
        "/api/v1/status", secured(get("/api/v1/status", () -> json(view.status()))));
    server.createContext(
        "/api/v1/ledger", secured(get("/api/v1/ledger", () -> json(view.ledger()))));
    server.createContext(LANES, secured(exchange -> send(exchange, lanes(exchange, view))));
    SteeringHandler steering = new SteeringHandler(view.steering());
    server.createContext(SteeringHandler.ROUTES, secured(post(steering::answer)));
    server.createContext(SteeringHandler.EXPORTERS, secured(post(steering::answer)));
    server.createContext(
        "/",
        exchange ->
            send(
                exchange,
                new Body(
                    404,
                    TEXT,
                    "not found; there are /livez /readyz /metrics /api/v1/status"
                        + " /api/v1/ledger\n")));
    server.start();
  }

  private static HttpServer bind(AdminConfig config) throws IOException {
    try {
      return HttpServer.create(new InetSocketAddress(config.host(), config.port()), BACKLOG);
    } catch (IOException e) {
      throw new IOException(
          "admin::endpoint: cannot listen on %s:%d: %s. Choose another port, or 0 for a free one."
              .formatted(config.host(), config.port(), e.getMessage()),
          e);
    }
  }

  /** The bound address. */
  public InetSocketAddress address() {
    return server.getAddress();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private HttpHandler get(String path, Supplier<Body> body) {
    return exchange -> {
      if (!exchange.getRequestURI().getPath().equals(path)) {
        send(exchange, new Body(404, TEXT, "not found\n"));
      } else if (!exchange.getRequestMethod().equals("GET")) {
        exchange.getResponseHeaders().set("Allow", "GET");
        send(exchange, new Body(405, TEXT, "only GET\n"));
      } else {
        send(exchange, answer(path, body));
      }
    };
  }

  /** {@code POST /api/v1/lanes/ROUTE/SIGNAL/drop}. */
  private Body lanes(HttpExchange exchange, AdminView view) {
    String path = exchange.getRequestURI().getPath();
    if (!path.endsWith(DROP) || path.length() <= LANES.length() + DROP.length()) {
      return new Body(
          404, TEXT, "not found; there is POST " + LANES + "ROUTE/SIGNAL" + DROP + "\n");
    }
    Body refusal = refusal(exchange);
    return refusal != null
        ? refusal
        : drop(path.substring(LANES.length(), path.length() - DROP.length()), view);
  }

  private static HttpHandler post(Function<HttpExchange, Body> answer) {
    return exchange -> {
      Body refusal = refusal(exchange);
      send(exchange, refusal != null ? refusal : answer.apply(exchange));
    };
  }

  /** Why a request may not change anything; null if it may. */
  private static @Nullable Body refusal(HttpExchange exchange) {
    if (!exchange.getRequestMethod().equals("POST")) {
      exchange.getResponseHeaders().set("Allow", "POST");
      return text(405, "only POST");
    }
    return isFromElsewhere(exchange)
        ? text(403, "pages of other origins may not change anything")
        : null;
  }

  private Body drop(String lane, AdminView view) {
    try {
      OptionalLong items = view.drop(lane);
      return items.isEmpty()
          ? new Body(404, TEXT, "there is no lane " + lane + "\n")
          : json(Map.of("lane", lane, "dropped", items.getAsLong()));
    } catch (IOException | RuntimeException e) {
      log.warn("admin: lane {} could not be dropped", lane, e);
      return new Body(503, TEXT, "not dropped: " + e.getMessage() + "\n");
    }
  }

  /**
   * A browser names the origin of the page that asks; a page of another one has no business here.
   */
  private static boolean isFromElsewhere(HttpExchange exchange) {
    String origin = exchange.getRequestHeaders().getFirst("Origin");
    String host = exchange.getRequestHeaders().getFirst("Host");
    return origin != null && !origin.equals("http://" + host) && !origin.equals("https://" + host);
  }

  private static Body answer(String path, Supplier<Body> body) {
    try {
      return body.get();
    } catch (RuntimeException e) {
      log.warn("admin {}: failed", path, e);
      return new Body(500, TEXT, "internal error; see the log\n");
    }
  }

  private HttpHandler secured(HttpHandler handler) {
    String token = config.token();
    if (token == null) {
      return handler;
    }
    byte[] expected = ("Bearer " + token).getBytes(StandardCharsets.UTF_8);
    return exchange -> {
      String given = exchange.getRequestHeaders().getFirst("Authorization");
      if (given != null
          && MessageDigest.isEqual(expected, given.getBytes(StandardCharsets.UTF_8))) {
        handler.handle(exchange);
      } else {
        exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer");
        send(
            exchange,
            new Body(401, TEXT, "send the admin token as \"Authorization: Bearer ...\"\n"));
      }
    };
  }

  private static void send(HttpExchange exchange, Body body) throws IOException {
    try (exchange) {
      byte[] bytes = body.text().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", body.type());
      exchange.sendResponseHeaders(body.status(), bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  /** A line of text. */
  static Body text(int status, @Nullable String line) {
    return new Body(status, TEXT, line + "\n");
  }

  /** Made with the first answer: the mapper takes longer to load than the server. */
  static Body json(Object value) {
    return new Body(200, JSON, JsonMapper.shared().writeValueAsString(value));
  }

  /** What is answered. */
  record Body(int status, String type, String text) {}
}
