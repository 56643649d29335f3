package io.spillway.exporters;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.spillway.exporters.HttpSink.Script;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.rpc.ExportResponse;
import io.spillway.otlp.rpc.RpcStatus;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.tls.TestCertificates;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;

/**
 * What sinks do, and what becomes of an attempt: the tables of {@code docs/outcomes.md}. Three
 * items are sent with each.
 */
final class OutcomeTable {
  static final int ITEMS = 3;

  private static final byte[] NOTHING = new byte[0];
  private static final String PROTO = "Content-Type: application/x-protobuf\n";
  private static final String JSON = "Content-Type: application/json\n";
  private static final String TEXT = "Content-Type: text/plain\n";
  private static final String GZIP = "Content-Encoding: gzip\n";
  private static final String QUICK = "timeout: 500ms";

  private OutcomeTable() {}

  /**
   * One thing a sink does.
   *
   * @param rules of the conformance table that ask for the outcome; empty if none does
   * @param outcome as {@link #text} says it
   * @param strict the same with {@code strict_otlp: true}
   */
  record Row(String type, String rules, String sink, Start start, String outcome, String strict) {
    @Override
    public String toString() {
      return (type + " " + rules + " " + sink).replace("`", "");
    }

    String line() {
      return "| %s | %s | %s |".formatted(sink, outcome, strict.equals(outcome) ? "" : strict);
    }
  }

  /** Opens a sink. */
  interface Start {
    /**
     * @param own has what it is given closed after the attempt
     */
    Target start(UnaryOperator<AutoCloseable> own) throws IOException;
  }

  /** Where it is, and other keys of the exporter. */
  record Target(String endpoint, List<String> keys) {}

  static String text(Outcome outcome) {
    return switch (outcome) {
      case Outcome.Delivered(int rejected, String message, boolean malformed) -> {
        String text = rejected == 0 ? "delivered" : "delivered, " + rejected + " rejected";
        if (malformed) {
          yield text + "; warned, counted as `protocol`";
        }
        yield rejected > 0 || message.isEmpty() ? text : text + "; warned";
      }
      case Outcome.Retry(Duration after, var error, var _) ->
          "retry" + (after == null ? "" : " after " + after.toSeconds() + " s") + code(error);
      case Outcome.TooLarge _ -> "too large";
      case Outcome.BadData _ -> "bad data";
      case Outcome.SinkDown(var error, var _) -> "sink down" + code(error);
    };
  }

  private static String code(Enum<?> error) {
    return " (`" + error.name().toLowerCase(Locale.ROOT) + "`)";
  }

  static List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    rows.addAll(http());
    rows.addAll(grpc());
    for (String type : List.of("otlp_http", "otlp_grpc")) {
      rows.addAll(connection(type));
    }
    return rows;
  }

  // --- HTTP

  private static List<Row> http() {
    Table t = new Table("otlp_http");
    String bad = "bad data";
    t.add("E-31", "200, no body", ok("", NOTHING), "delivered");
    t.add("E-31", "200, empty `partial_success`", ok(PROTO, bytes(0x0a, 0)), "delivered");
    t.add("E-33", "202, no body", Script.status("202 Accepted", "", NOTHING), "delivered");
    t.add("E-33", "204", Script.bytes("HTTP/1.1 204 No Content\n\n", NOTHING), "delivered");
    t.add(
        "E-30",
        "200, `partial_success`, 2 rejected",
        ok(PROTO, partial(2)),
        "delivered, 2 rejected");
    t.add("E-30", "200, the same in JSON", ok(JSON, jsonPartial()), "delivered, 2 rejected");
    t.add("E-31", "200, none rejected, a message", ok(PROTO, partial(0)), "delivered; warned");
    t.add("E-32", "200, 99 of 3 rejected", ok(PROTO, partial(99)), "delivered, 3 rejected" + odd());
    t.add("E-32", "200, -5 rejected", ok(PROTO, partial(-5)), "delivered" + odd());
    t.add("E-33", "200, broken protobuf", ok(PROTO, bytes(0x0a, 0x7f)), "delivered" + odd());
    t.add("E-33", "200, broken JSON", ok(JSON, utf8("{\"part")), "delivered" + odd());
    t.add(
        "E-33",
        "200, a web page",
        ok("Content-Type: text/html\n", utf8("<p>")),
        "delivered" + odd());
    t.add(
        "E-33 E-45",
        "200, unknown `Content-Encoding`",
        ok(PROTO + "Content-Encoding: br\n", utf8("x")),
        "delivered" + odd());
    t.add("E-33", "200, gzip cut short", ok(PROTO + GZIP, half(bomb())), "delivered" + odd());
    t.add("E-23", "200, gzip of 64 MiB of zeros", ok(PROTO + GZIP, bomb()), "delivered" + odd());
    t.add("E-23", "200, more than 4 MiB", ok(PROTO, new byte[(4 << 20) + 1]), "delivered" + odd());
    t.add("", "100 and 103, then 200", interim().then(ok("", NOTHING)), "delivered");
    t.quick(
        "",
        "101 or another 1xx, then silence",
        Script.bytes("HTTP/1.1 101 Over\n\n", NOTHING).then(hang()),
        "retry (`timeout`)");
    for (int code : new int[] {301, 302, 303, 307, 308}) {
      t.add(
          "E-47",
          "" + code + ", `Location`",
          status(code, "Location: http://127.0.0.1:1/\n", NOTHING),
          "sink down (`not_found`)");
    }
    t.add("E-34", "400, no body", status(400, "", NOTHING), bad);
    t.add("E-50", "400, `Status` in protobuf", status(400, PROTO, status(3)), bad);
    t.add("E-50", "400, `Status` in JSON", status(400, JSON, utf8("{\"message\":\"no\"}")), bad);
    t.add("E-50", "400, text", status(400, TEXT, utf8("no")), bad);
    t.add("E-50", "400, broken protobuf", status(400, PROTO, bytes(0x12, 0x7f)), bad);
    t.add("E-50", "400, broken JSON", status(400, JSON, utf8("{")), bad);
    t.add(
        "E-45 E-50",
        "400, unknown `Content-Encoding`",
        status(400, TEXT + "Content-Encoding: br\n", utf8("x")),
        bad);
    t.add("E-23 E-50", "400, gzip of 64 MiB of zeros", status(400, TEXT + GZIP, bomb()), bad);
    t.add("E-34", "422", status(422, "", NOTHING), bad);
    t.add("E-34", "413", status(413, "", NOTHING), "too large");
    for (int code : new int[] {401, 403, 407}) {
      t.add("E-49", "" + code, status(code, TEXT, utf8("who?")), "sink down (`auth`)");
    }
    for (int code : new int[] {404, 405, 410}) {
      t.add("E-48", "" + code, status(code, "", NOTHING), "sink down (`not_found`)");
    }
    for (int code : new int[] {402, 406, 408, 409, 411, 415, 418, 431, 451, 500, 501, 505, 507}) {
      t.strict("E-34", "" + code, status(code, "", NOTHING), "sink down (`server`)", bad);
    }
    t.add("E-34", "429", status(429, "", NOTHING), "retry (`throttled`)");
    for (int code : new int[] {502, 503, 504}) {
      t.add("E-34", "" + code, status(code, "", NOTHING), "retry (`server`)");
    }
    t.add("E-36", "503, `Retry-After: 600`", busy("600"), "retry after 600 s (`throttled`)");
    t.add("E-36", "503, `Retry-After: 0`", busy("0"), "retry after 0 s (`throttled`)");
    t.add(
        "E-36",
        "503, `Retry-After` a date in two minutes",
        busy("Sun, 22 Nov 2026 10:02:00 GMT"),
        "retry after 120 s (`throttled`)");
    t.add(
        "E-36",
        "503, `Retry-After` a past date",
        busy("Sun, 22 Nov 2026 09:00:00 GMT"),
        "retry after 0 s (`throttled`)");
    t.add("E-36", "503, `Retry-After: -1` or `soon`", busy("soon"), "retry (`server`)");
    t.add(
        "",
        "an answer that is no HTTP",
        Script.bytes("SSH-2.0-OpenSSH_9.6\n\n", NOTHING),
        "sink down (`server`)");
    t.add(
        "",
        "an answer in HTTP/2",
        Script.bytes("", bytes(0, 0, 0, 4, 0, 0, 0, 0, 0, 13, 10, 13, 10)),
        "sink down (`server`)");
    t.add(
        "",
        "a head of more than 16 KiB",
        Script.bytes("HTTP/1.1 200 OK\nX: " + "x".repeat(20_000) + "\n\n", NOTHING),
        "sink down (`server`)");
    t.add(
        "",
        "`Content-Length: many`",
        Script.bytes("HTTP/1.1 200 OK\nContent-Length: many\n\n", NOTHING),
        "sink down (`server`)");
    t.add(
        "E-40",
        "`Content-Length` too long, then the end",
        Script.bytes("HTTP/1.1 200 OK\nContent-Length: 9\n\n", utf8("x")).then(end()),
        "retry (`reset`)");
    t.add(
        "E-33",
        "`Content-Length` too short",
        Script.bytes("HTTP/1.1 200 OK\n" + PROTO + "Content-Length: 1\n\n", partial(2)),
        "delivered" + odd());
    t.add(
        "",
        "chunks that are none",
        Script.bytes("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", utf8("zz\r\nbody")),
        "sink down (`server`)");
    t.add(
        "E-40",
        "chunks without an end",
        Script.bytes("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", utf8("5\r\nab"))
            .then(end()),
        "retry (`reset`)");
    t.add(
        "E-40",
        "reset in the answer's head",
        Script.bytes("HTTP/1.1 20", NOTHING).then(Script.reset()),
        "retry (`reset`)");
    t.add(
        "E-40",
        "reset in the answer's body",
        Script.bytes("HTTP/1.1 200 OK\nContent-Length: 9\n\n", utf8("x")).then(Script.reset()),
        "retry (`reset`)");
    t.add("E-40", "the end, without an answer", end(), "retry (`reset`)");
    t.quick(
        "E-40",
        "hangs in the answer's head",
        Script.bytes("HTTP/1.1 20", NOTHING).then(hang()),
        "retry (`timeout`)");
    t.quick(
        "E-40",
        "hangs in the answer's body",
        Script.bytes("HTTP/1.1 200 OK\nContent-Length: 9\n\n", utf8("x")).then(hang()),
        "retry (`timeout`)");
    t.quick("E-40", "drips its answer, a byte now and then", drip(), "retry (`timeout`)");
    return t.rows;
  }

  private static String odd() {
    return "; warned, counted as `protocol`";
  }

  private static Script ok(String headers, byte[] body) {
    return Script.status("200 OK", headers, body);
  }

  private static Script status(int code, String headers, byte[] body) {
    return Script.status(code + " As Told", headers, body);
  }

  private static Script busy(String retryAfter) {
    return status(503, "Retry-After: " + retryAfter + "\n", NOTHING);
  }

  private static Script interim() {
    return Script.bytes("HTTP/1.1 100 Continue\n\nHTTP/1.1 103 Early Hints\nLink: x\n\n", NOTHING);
  }

  private static Script end() {
    return (socket, out) -> false;
  }

  /** Until the client goes away. */
  private static Script hang() {
    return (socket, out) -> {
      while (socket.getInputStream().read() >= 0) {
        // It may still be sending.
      }
      return false;
    };
  }

  private static Script drip() {
    return (socket, out) -> {
      for (byte b : utf8("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + "x".repeat(99))) {
        out.write(b);
        out.flush();
        pause();
      }
      return false;
    };
  }

  private static void pause() {
    try {
      var _ = new CountDownLatch(1).await(50, java.util.concurrent.TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // --- gRPC

  private static List<Row> grpc() {
    Table t = new Table("otlp_grpc");
    String bad = "bad data";
    String server = "sink down (`server`)";
    t.http2("E-31", "OK", Http2Sink.Script.answer(NOTHING), "delivered");
    t.http2(
        "E-30",
        "OK, `partial_success`, 2 rejected",
        Http2Sink.Script.answer(partial(2)),
        "delivered, 2 rejected");
    t.http2(
        "E-31",
        "OK, none rejected, a message",
        Http2Sink.Script.answer(partial(0)),
        "delivered; warned");
    t.http2(
        "E-32",
        "OK, 99 of 3 rejected",
        Http2Sink.Script.answer(partial(99)),
        "delivered, 3 rejected" + odd());
    t.http2("E-32", "OK, -5 rejected", Http2Sink.Script.answer(partial(-5)), "delivered" + odd());
    t.http2(
        "E-33",
        "OK, broken protobuf",
        Http2Sink.Script.answer(bytes(0x0a, 0x7f)),
        "delivered" + odd());
    t.http2("E-35", "CANCELLED", Http2Sink.Script.status(1), "retry (`server`)");
    t.strictHttp2("E-35", "UNKNOWN", Http2Sink.Script.status(2), server, bad);
    t.http2("E-35", "INVALID_ARGUMENT", Http2Sink.Script.status(3), bad);
    t.http2("E-35", "DEADLINE_EXCEEDED", Http2Sink.Script.status(4), "retry (`timeout`)");
    t.http2("E-48", "NOT_FOUND", Http2Sink.Script.status(5), "sink down (`not_found`)");
    t.strictHttp2("E-35", "ALREADY_EXISTS", Http2Sink.Script.status(6), server, bad);
    t.http2("E-49", "PERMISSION_DENIED", Http2Sink.Script.status(7), "sink down (`auth`)");
    t.strictHttp2(
        "E-35",
        "RESOURCE_EXHAUSTED, request up to 4 MiB",
        Http2Sink.Script.status(8),
        "retry (`throttled`)",
        bad);
    t.http2(
        "E-35 E-37",
        "RESOURCE_EXHAUSTED, `RetryInfo` of 600 s",
        Http2Sink.Script.status(8, "grpc-status-details-bin", retryInfo(600)),
        "retry after 600 s (`throttled`)");
    t.strictHttp2("E-35", "FAILED_PRECONDITION", Http2Sink.Script.status(9), server, bad);
    t.http2("E-35", "ABORTED", Http2Sink.Script.status(10), "retry (`server`)");
    t.http2("E-35", "OUT_OF_RANGE", Http2Sink.Script.status(11), "retry (`server`)");
    t.http2("E-48", "UNIMPLEMENTED", Http2Sink.Script.status(12), "sink down (`not_found`)");
    t.strictHttp2("E-35", "INTERNAL", Http2Sink.Script.status(13), server, bad);
    t.http2("E-35", "UNAVAILABLE", Http2Sink.Script.status(14), "retry (`server`)");
    t.http2(
        "E-37",
        "UNAVAILABLE, `RetryInfo` of 600 s",
        Http2Sink.Script.status(14, "grpc-status-details-bin", retryInfo(600)),
        "retry after 600 s (`throttled`)");
    t.http2(
        "E-37",
        "UNAVAILABLE, `RetryInfo` of 0 s",
        Http2Sink.Script.status(14, "grpc-status-details-bin", retryInfo(0)),
        "retry (`server`)");
    t.http2(
        "E-37 E-50",
        "UNAVAILABLE, broken details",
        Http2Sink.Script.status(14, "grpc-status-details-bin", "EgA/"),
        "retry (`server`)");
    t.http2("E-35", "DATA_LOSS", Http2Sink.Script.status(15), "retry (`server`)");
    t.http2("E-49", "UNAUTHENTICATED", Http2Sink.Script.status(16), "sink down (`auth`)");
    t.strictHttp2("E-35", "a status that there is not", Http2Sink.Script.status(99), server, bad);
    t.strictHttp2(
        "E-35",
        "INTERNAL behind headers",
        Http2Sink.Script.begin(NOTHING).then(Http2Sink.Script.trailers("grpc-status", "13")),
        server,
        bad);
    for (int code : new int[] {429, 502, 503, 504}) {
      t.http2("E-44", "HTTP status " + code + ", no gRPC", page(code), "retry (`server`)");
    }
    t.http2(
        "E-36 E-44",
        "HTTP status 429, no gRPC, `retry-after: 600`",
        page(429, "retry-after", "600"),
        "retry after 600 s (`throttled`)");
    t.http2("E-44 E-49", "HTTP status 401, no gRPC", page(401), "sink down (`auth`)");
    t.http2("E-44 E-49", "HTTP status 403, no gRPC", page(403), "sink down (`auth`)");
    t.http2("E-44 E-48", "HTTP status 404, no gRPC", page(404), "sink down (`not_found`)");
    t.http2("E-44", "HTTP status 400, no gRPC", page(400), server);
    t.http2(
        "E-44 E-47",
        "HTTP status 308, no gRPC",
        page(308, "location", "http://127.0.0.1:1/"),
        server);
    t.http2("E-44", "HTTP status 500, no gRPC", page(500), server);
    t.http2("E-44", "HTTP status 200, a web page", page(200), server);
    t.strictHttp2(
        "E-44",
        "an answer without a status",
        Http2Sink.Script.begin(NOTHING).then(Http2Sink.Script.trailers("x", "y")),
        server,
        bad);
    t.http2(
        "E-45",
        "unknown `grpc-encoding`",
        Http2Sink.Script.begin(Http2Sink.message(1, utf8("x")), "grpc-encoding", "br"),
        server);
    t.http2(
        "E-45",
        "compressed, but no `grpc-encoding`",
        Http2Sink.Script.begin(Http2Sink.message(1, utf8("x"))),
        server);
    t.http2(
        "E-23",
        "gzip of 64 MiB of zeros",
        Http2Sink.Script.begin(Http2Sink.message(1, bomb()), "grpc-encoding", "gzip"),
        server);
    t.http2(
        "E-23",
        "a message of more than 4 MiB",
        Http2Sink.Script.begin(bytes(0, 0, 0x40, 0, 1)),
        server);
    t.http2("E-40", "RST_STREAM NO_ERROR", Http2Sink.Script.reset(0), "retry (`reset`)");
    String[] broken = {
      "PROTOCOL_ERROR 1",
      "INTERNAL_ERROR 2",
      "FLOW_CONTROL_ERROR 3",
      "STREAM_CLOSED 5",
      "COMPRESSION_ERROR 9",
      "CONNECT_ERROR 10",
      "HTTP_1_1_REQUIRED 13"
    };
    for (String code : broken) {
      String[] nameAndNumber = code.split(" ", 2);
      t.http2(
          "E-40",
          "RST_STREAM " + nameAndNumber[0],
          Http2Sink.Script.reset(Integer.parseInt(nameAndNumber[1])),
          server);
    }
    t.http2("E-40", "RST_STREAM REFUSED_STREAM", Http2Sink.Script.reset(7), "retry (`reset`)");
    t.http2("E-40", "RST_STREAM CANCEL", Http2Sink.Script.reset(8), "retry (`server`)");
    t.http2(
        "E-40", "RST_STREAM ENHANCE_YOUR_CALM", Http2Sink.Script.reset(11), "retry (`throttled`)");
    t.http2(
        "E-40", "RST_STREAM INADEQUATE_SECURITY", Http2Sink.Script.reset(12), "sink down (`auth`)");
    t.http2(
        "E-40",
        "headers, then RST_STREAM INTERNAL_ERROR",
        Http2Sink.Script.begin(NOTHING).then(Http2Sink.Script.reset(2)),
        server);
    t.http2(
        "E-40",
        "headers, then the end",
        Http2Sink.Script.begin(NOTHING).then(Http2Sink.Script.close()),
        "retry (`reset`)");
    t.http2(
        "E-40",
        "GOAWAY that does not serve the request",
        Http2Sink.Script.goAway(false, 0),
        "retry (`reset`)");
    t.http2(
        "E-40",
        "GOAWAY ENHANCE_YOUR_CALM that does not serve it",
        Http2Sink.Script.goAway(false, 11),
        "retry (`throttled`)");
    t.http2(
        "",
        "GOAWAY that serves it, then OK",
        Http2Sink.Script.goAway(true, 0).then(Http2Sink.Script.answer(NOTHING)),
        "delivered");
    t.http2(
        "E-40",
        "GOAWAY that serves it, then the end",
        Http2Sink.Script.goAway(true, 0).then(Http2Sink.Script.close()),
        "retry (`reset`)");
    t.http2("E-40", "the end, without headers", Http2Sink.Script.close(), "retry (`reset`)");
    t.quickHttp2(
        "E-40", "hangs behind headers", Http2Sink.Script.begin(NOTHING), "retry (`timeout`)");
    return t.rows;
  }

  /** What a proxy that knows nothing of gRPC answers. */
  private static Http2Sink.Script page(int code, String... more) {
    return (connection, stream) -> {
      var block = new java.io.ByteArrayOutputStream();
      block.writeBytes(Http2Sink.block(":status", "" + code, "content-type", "text/html"));
      block.writeBytes(Http2Sink.block(more));
      connection.frame(Http2Sink.HEADERS, Http2Sink.END_HEADERS, stream, block.toByteArray());
      connection.frame(Http2Sink.DATA, Http2Sink.END_STREAM, stream, utf8("<p>sorry</p>"));
      return true;
    };
  }

  private static String retryInfo(int seconds) {
    byte[] status = new RpcStatus(14, "", Duration.ofSeconds(seconds)).toProtobuf();
    return Base64.getEncoder().withoutPadding().encodeToString(status);
  }

  // --- The way there, the same for both

  private static List<Row> connection(String type) {
    Table t = new Table(type);
    t.raw(
        "E-40",
        "the name does not resolve",
        own -> new Target("http://no-such-host.invalid:4317", List.of()),
        "sink down (`dns`)");
    t.raw(
        "E-40",
        "nobody listens",
        own -> new Target("http://127.0.0.1:" + freePort(), List.of()),
        "sink down (`connect`)");
    t.raw(
        "E-40",
        "resets each connection",
        own -> socket(own, OutcomeTable::reset),
        "retry (`reset`)");
    t.raw(
        "E-40",
        "resets within the request",
        own ->
            socket(
                own,
                s -> {
                  s.getInputStream().readNBytes(20);
                  reset(s);
                }),
        "retry (`reset`)");
    t.raw(
        "E-40",
        "accepts, then hangs",
        own -> quick(socket(own, OutcomeTable::stay)),
        "retry (`timeout`)");
    t.raw(
        "E-40",
        "hangs within the request",
        own ->
            quick(
                socket(
                    own,
                    s -> {
                      s.getInputStream().readNBytes(20);
                      stay(s);
                    })),
        "retry (`timeout`)");
    t.raw(
        "E-40",
        "expired certificate",
        own -> tls(type, own, TestCertificates.expired(), TestCertificates.expiredAuthority()),
        "sink down (`tls`)");
    t.raw(
        "E-40",
        "certificate of another host",
        own ->
            tls(
                type,
                own,
                TestCertificates.elsewhere(),
                TestCertificates.elsewhere().certificate()),
        "sink down (`tls`)");
    t.raw(
        "E-40",
        "certificate of an unknown authority",
        own ->
            tls(
                type,
                own,
                TestCertificates.localhost(),
                TestCertificates.elsewhere().certificate()),
        "sink down (`tls`)");
    t.raw("E-40", "no TLS where TLS is expected", own -> notTls(own), "sink down (`tls`)");
    return t.rows;
  }

  private interface Serve {
    void serve(Socket socket) throws IOException;
  }

  private static Target socket(UnaryOperator<AutoCloseable> own, Serve serve) {
    AcceptingPort port =
        new AcceptingPort(
            (at, client) -> {
              try (client) {
                serve.serve(client);
              }
            });
    var _ = own.apply(port);
    return new Target("http://127.0.0.1:" + port.port(), List.of());
  }

  private static void reset(Socket socket) throws IOException {
    socket.setSoLinger(true, 0);
  }

  private static void stay(Socket socket) throws IOException {
    socket.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());
  }

  private static Target quick(Target target) {
    return new Target(target.endpoint(), List.of(QUICK));
  }

  private static Target tls(
      String type,
      UnaryOperator<AutoCloseable> own,
      TestCertificates.Identity shown,
      Path trusted) {
    Sink.Tls tls = new Sink.Tls(shown, null);
    Sink sink = type.equals("otlp_grpc") ? new GrpcSink(0, tls) : new HttpSink(0, tls);
    var _ = own.apply(sink);
    return new Target(
        "https://localhost:" + sink.port(), List.of("tls: { ca_file: \"" + trusted + "\" }"));
  }

  private static Target notTls(UnaryOperator<AutoCloseable> own) throws IOException {
    Target plain =
        socket(
            own,
            s -> {
              s.getInputStream().read();
              s.getOutputStream().write(utf8("HTTP/1.1 400 Bad Request\r\n\r\n"));
              stay(s);
            });
    return new Target(plain.endpoint().replace("http://", "https://"), List.of());
  }

  /** A port that nobody listens on, for now. */
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  // --- Bodies

  private static byte[] partial(long rejected) {
    return new ExportResponse(rejected, "words").toProtobuf();
  }

  private static byte[] jsonPartial() {
    return utf8("{\"partialSuccess\":{\"rejectedSpans\":\"2\",\"errorMessage\":\"words\"}}");
  }

  private static byte[] status(int code) {
    return new RpcStatus(code, "words", null).toProtobuf();
  }

  private static byte[] bomb() {
    try (BlockCompressor compressor = new BlockCompressor()) {
      return compressor.compress(Codec.GZIP, Slice.of(new byte[8 << 20])).toByteArray();
    }
  }

  private static byte[] half(byte[] bytes) {
    return java.util.Arrays.copyOf(bytes, bytes.length / 2);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(UTF_8);
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  /** Rows of one type of exporter. */
  private static final class Table {
    final List<Row> rows = new ArrayList<>();
    private final String type;

    Table(String type) {
      this.type = type;
    }

    void raw(String rules, String sink, Start start, String outcome) {
      rows.add(new Row(type, rules, sink, start, outcome, outcome));
    }

    void add(String rules, String sink, Script script, String outcome) {
      raw(rules, sink, own -> http(own, script), outcome);
    }

    void quick(String rules, String sink, Script script, String outcome) {
      raw(rules, sink, own -> OutcomeTable.quick(http(own, script)), outcome);
    }

    void strict(String rules, String sink, Script script, String outcome, String strict) {
      rows.add(new Row(type, rules, sink, own -> http(own, script), outcome, strict));
    }

    void http2(String rules, String sink, Http2Sink.Script script, String outcome) {
      raw(rules, sink, own -> http2(own, script), outcome);
    }

    void quickHttp2(String rules, String sink, Http2Sink.Script script, String outcome) {
      raw(rules, sink, own -> OutcomeTable.quick(http2(own, script)), outcome);
    }

    void strictHttp2(
        String rules, String sink, Http2Sink.Script script, String outcome, String strict) {
      rows.add(new Row(type, rules, sink, own -> http2(own, script), outcome, strict));
    }

    private static Target http(UnaryOperator<AutoCloseable> own, Script script) {
      HttpSink sink = new HttpSink(0, null);
      sink.script = script;
      var _ = own.apply(sink);
      return new Target("http://127.0.0.1:" + sink.port(), List.of());
    }

    private static Target http2(UnaryOperator<AutoCloseable> own, Http2Sink.Script script) {
      Http2Sink sink = new Http2Sink(script);
      var _ = own.apply(sink);
      return new Target("http://127.0.0.1:" + sink.port(), List.of());
    }
  }

  static Target open(Row row, UnaryOperator<AutoCloseable> own) {
    try {
      return row.start().start(own);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
