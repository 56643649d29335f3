package io.spillway.tests.harness;

import com.google.protobuf.ByteString;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** The OTLP/HTTP side of a {@link CapturingSink}: binary protobuf only. */
final class HttpSinkServer implements CapturingSink.Server {

  static {
    // Without it a response of headers and body waits for a delayed acknowledgement.
    System.setProperty("sun.net.httpserver.nodelay", "true");
  }

  private final CapturingSink sink;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;

  HttpSinkServer(CapturingSink sink) {
    this.sink = sink;
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 128);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/", this::serve);
    server.start();
  }

  @Override
  public int port() {
    return server.getAddress().getPort();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      Kind kind = kind(exchange);
      if (kind == null) {
        send(exchange, 404, new byte[0]);
        return;
      }
      Map<String, String> headers = headers(exchange);
      Encoding encoding = Encoding.ofToken(headers.getOrDefault("content-encoding", "identity"));
      Fault fault =
          sink.take(
              new CapturedRequest(
                  kind, encoding, headers, ByteString.copyFrom(encoding.decompress(body))));
      answer(exchange, fault);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void answer(HttpExchange exchange, @Nullable Fault fault)
      throws IOException, InterruptedException {
    switch (fault) {
      case null -> send(exchange, 200, new byte[0]);
      case Fault.PartlyRejecting(int rejected, String message) ->
          send(exchange, 200, Grpc.partialSuccess(rejected, message));
      case Fault.Answering(int status, _, Duration retryAfter) -> {
        if (retryAfter != null) {
          exchange.getResponseHeaders().set("Retry-After", "" + retryAfter.toSeconds());
        }
        send(exchange, status, new byte[0]);
      }
      case Fault.Hanging _, Fault.Playing _, Fault.Refused _, Fault.Resetting _ ->
          sink.awaitEndOfHang();
    }
  }

  private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
  }

  private static @Nullable Kind kind(HttpExchange exchange) {
    for (Kind kind : Kind.values()) {
      if (exchange.getRequestURI().getPath().equals(kind.httpPath())
          && exchange.getRequestMethod().equals("POST")) {
        return kind;
      }
    }
    return null;
  }

  private static Map<String, String> headers(HttpExchange exchange) {
    Map<String, String> headers = new HashMap<>();
    exchange
        .getRequestHeaders()
        .forEach((name, values) -> headers.put(name.toLowerCase(Locale.ROOT), values.getLast()));
    return headers;
  }
}
