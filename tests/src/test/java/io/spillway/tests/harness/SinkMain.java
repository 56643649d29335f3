package io.spillway.tests.harness;

import com.google.protobuf.ByteString;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.Executors;

/**
 * An OTLP/HTTP sink as a process. It listens on all addresses, port 4318, appends the names of the
 * spans it takes to a file, and answers {@code GET /names} with that file.
 */
public final class SinkMain {

  private static final int PORT = 4318;

  private final Path names;

  private SinkMain(Path names) {
    this.names = names;
  }

  /** Runs until it is ended; the argument is the file. */
  public static void main(String[] arguments) throws IOException {
    SinkMain sink = new SinkMain(Path.of(arguments[0]));
    sink.append(List.of());
    HttpServer server = HttpServer.create(new InetSocketAddress(PORT), 128);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/v1/traces", sink::take);
    server.createContext("/names", sink::list);
    server.start();
    System.out.println("sink ready");
  }

  private void take(HttpExchange exchange) throws IOException {
    try (exchange) {
      String token = exchange.getRequestHeaders().getFirst("Content-Encoding");
      byte[] body = exchange.getRequestBody().readAllBytes();
      byte[] plain = Encoding.ofToken(token == null ? "identity" : token).decompress(body);
      append(
          Items.list(Kind.TRACES, Kind.TRACES.parse(ByteString.copyFrom(plain))).stream()
              .map(item -> ((Span) item).getName())
              .toList());
      exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
      exchange.sendResponseHeaders(200, -1);
    }
  }

  private synchronized void append(List<String> lines) throws IOException {
    Files.write(names, lines, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  private void list(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = Files.readAllBytes(names);
      exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
    }
  }
}
