package io.spillway.receivers;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.fuzz.FuzzTarget;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.Sender;
import io.spillway.otlp.wire.RequestScanner;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import org.slf4j.LoggerFactory;

/**
 * Any bytes on an HTTP connection, in pieces, with a gate that answers at once or later, and ended
 * in each way a sender can: in the end the connection is closed, nothing was logged, and no buffer
 * and no byte of the admission is held. What was sent is HTTP.
 *
 * <pre>
 *   how (1 byte; bits 0-2: size of the pieces, 3: late answers, 4-5: end)  bytes
 * </pre>
 */
public final class HttpServerFuzz implements FuzzTarget {
  private static final int[] PIECE_BYTES = {4096, 1, 7, 64, 300, 1000, 2000, 65_536};
  private static final int LATE = 0x08;
  private static final int MAX_REQUEST_BYTES = 64 << 10;
  private static final long ADMISSION_BYTES = 1 << 20;

  /** Longer than any timeout; the last of them follows on another. */
  private static final Duration STEP = Duration.ofSeconds(61);

  private static final int STEPS = 4;

  private static final String TYPE = "Content-Type: application/x-protobuf\r\n";
  private static final String CHUNKS = "2\r\n\n\0\r\n0\r\nX-Trailer: 1\r\n\r\n";
  private static final Cors CORS =
      new Cors(List.of("https://*.example"), List.of("x-tenant"), List.of("retry-after"), 60);

  private final Admission admission = new Admission(ADMISSION_BYTES);
  private final Queue<Runnable> lateAnswers = new ArrayDeque<>();
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
  private final Intake intake;
  private final HttpServer server;
  private boolean late;

  /** How the sender ends. */
  private enum End {
    /** It says that it sends no more, and waits. */
    HALF_CLOSED,
    /** It goes away. */
    CLOSED,
    /** It says nothing any more. */
    SILENT
  }

  /** Binds a port that is not used: connections are made without it. */
  public HttpServerFuzz() throws IOException {
    log.start();
    DefaultThreadFactory daemons = new DefaultThreadFactory("fuzz", true);
    ScheduledExecutorService files = Executors.newSingleThreadScheduledExecutor(daemons);
    EventLoopGroup threads = new MultiThreadIoEventLoopGroup(1, daemons, NioIoHandler.newFactory());
    ReceiverListener listener = (signal, transport, wireBytes, answer, elapsed) -> {};
    intake = new Intake(() -> this::submit, admission, listener, null);
    server =
        new HttpServer(
            Listener.open(
                Transport.HTTP,
                new Endpoint("127.0.0.1", 0),
                ListenerConfig.DEFAULT,
                listener,
                files),
            MAX_REQUEST_BYTES,
            new HttpService(HttpPaths.DEFAULT, CORS),
            HttpTimeouts.DEFAULT,
            intake,
            threads,
            threads);
  }

  private void submit(
      Signal signal, RequestBytes request, Sender sender, Consumer<? super Answer> answer) {
    Answer verdict = verdict(signal, request.plain());
    if (late) {
      lateAnswers.add(() -> answer.accept(verdict));
    } else {
      answer.accept(verdict);
    }
  }

  private static Answer verdict(Signal signal, Slice request) {
    RequestScanner scanner = new RequestScanner();
    try {
      scanner.inspect(signal, request);
      return new Answer.Accepted(scanner.items());
    } catch (MalformedRequestException e) {
      return new Answer.Invalid(e.getMessage());
    }
  }

  /** Does to a channel what the server does to those it accepts. */
  private final class Connecting extends ChannelInitializer<Channel> {
    @Override
    protected void initChannel(Channel channel) {
      intake.connected(channel);
      channel.pipeline().addLast(new HttpVersionDetector(server));
    }
  }

  // ---- seeds

  @Override
  public List<byte[]> seeds() {
    byte[] traces = Payloads.traces(3);
    byte[] json = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{}]}]}]}".getBytes(UTF_8);
    String jsonType = "Content-Type: application/json\r\n";
    byte[] post = post("/v1/traces", TYPE, traces);
    List<byte[]> sent = new ArrayList<>();
    sent.add(post);
    sent.add(join(post, post, post("/v1/metrics", TYPE, new byte[0])));
    sent.add(post("/v1/traces", jsonType + "Connection: close\r\n", json));
    sent.add(post("/v1/logs", TYPE + "Content-Length: 7\r\n", new byte[7]));
    for (String format : List.of("gzip", "zstd", "zlib", "x-snappy-framed", "snappy", "lz4")) {
      sent.add(
          post(
              "/v1/traces",
              TYPE + "Content-Encoding: " + format + "\r\n",
              Payloads.encoded(format, traces)));
    }
    sent.add(
        join(
            text(
                "POST /v1/logs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n%s\r\n%s"
                    .formatted(TYPE, CHUNKS)),
            post));
    sent.add(post("/v1/traces", TYPE + "Expect: 100-continue\r\n", traces));
    sent.add(post("/v1/traces", TYPE + "Content-Encoding: br\r\n", traces));
    sent.add(post("/v1/traces", "Content-Type: text/plain\r\n", traces));
    sent.add(text("GET / HTTP/1.0\r\n\r\n"));
    sent.add(
        text(
            String.join(
                "\r\n",
                "OPTIONS /v1/traces HTTP/1.1",
                "Host: a",
                "Origin: https://a.example",
                "Access-Control-Request-Method: POST",
                "",
                "")));
    sent.add(
        join(
            post(
                "/v1/traces",
                TYPE
                    + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                    + "HTTP2-Settings: AAMAAABkAAQAAP__\r\n",
                traces),
            preface()));
    byte[] head = headers(1, false, "/v1/traces");
    sent.add(join(preface(), head, frame(0, 1, 1, traces), headers(3, true, "/v1/logs")));
    sent.add(join(preface(), head, frame(0, 0, 1, traces), frame(3, 0, 1, new byte[4])));
    sent.add(join(preface(), frame(6, 0, 0, new byte[8]), frame(7, 0, 0, new byte[8])));
    List<byte[]> seeds = new ArrayList<>();
    for (int i = 0; i < sent.size(); i++) {
      for (int how : new int[] {0, 0x10 | i & 7, 0x28 | i & 7}) {
        seeds.add(join(new byte[] {(byte) how}, sent.get(i)));
      }
    }
    return seeds;
  }

  private static byte[] post(String path, String headers, byte[] body) {
    return join(
        text(
            "POST %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n"
                .formatted(path, headers, body.length)),
        body);
  }

  private static byte[] preface() {
    return join(text(RawHttp2.PREFACE), frame(RawHttp2.SETTINGS, 0, 0, new byte[0]));
  }

  private static byte[] headers(int stream, boolean end, String path) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    String[] fields = {
      ":method", "POST", ":scheme", "http", ":path", path, "content-type", HttpReply.PROTOBUF
    };
    for (int i = 0; i < fields.length; i += 2) {
      block.write(0);
      for (String field : List.of(fields[i], fields[i + 1])) {
        block.write(field.length());
        block.writeBytes(text(field));
      }
    }
    int flags = RawHttp2.END_HEADERS | (end ? RawHttp2.END_STREAM : 0);
    return frame(RawHttp2.HEADERS, flags, stream, block.toByteArray());
  }

  private static byte[] frame(int type, int flags, int stream, byte[] payload) {
    return ByteBuffer.allocate(9 + payload.length)
        .put((byte) (payload.length >> 16))
        .putShort((short) payload.length)
        .put((byte) type)
        .put((byte) flags)
        .putInt(stream)
        .put(payload)
        .array();
  }

  private static byte[] text(String text) {
    return text.getBytes(US_ASCII);
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      joined.writeBytes(part);
    }
    return joined.toByteArray();
  }

  // ---- one connection

  @Override
  public void check(byte[] input) {
    if (input.length == 0) {
      return;
    }
    root.addAppender(log);
    try {
      connection(input);
    } finally {
      root.detachAppender(log);
      log.list.clear();
      lateAnswers.clear();
    }
  }

  private void connection(byte[] input) {
    late = (input[0] & LATE) != 0;
    End end = End.values()[(input[0] >> 4 & 3) % End.values().length];
    FuzzChannel channel = new FuzzChannel(new Connecting());
    send(channel, input, PIECE_BYTES[input[0] & 7]);
    switch (end) {
      case HALF_CLOSED -> {
        channel.endInput();
        answerLate(channel);
        require(!channel.isOpen(), "left open although the sender ended");
      }
      case CLOSED -> channel.close();
      case SILENT -> {}
    }
    for (int step = 0; step < STEPS && channel.isOpen(); step++) {
      answerLate(channel);
      channel.pass(STEP);
    }
    answerLate(channel);
    require(!channel.isOpen(), "left open for ever");
    requireHttp(channel.takeSent());
    channel.checkException();
    require(channel.inboundMessages().isEmpty(), "handed on " + channel.inboundMessages());
    require(channel.heldBytes() == 0, "holds buffers of " + channel.heldBytes() + " bytes");
    require(admission.inFlightBytes() == 0, "holds admission");
    for (ILoggingEvent event : log.list) {
      require(!event.getLevel().isGreaterOrEqual(Level.WARN), "logged " + event);
    }
  }

  private void send(FuzzChannel channel, byte[] input, int pieceBytes) {
    for (int from = 1; from < input.length; ) {
      if (!channel.isReading()) {
        if (lateAnswers.isEmpty()) {
          return;
        }
        answerLate(channel);
        continue;
      }
      int to = Math.min(input.length, from + pieceBytes);
      channel.receive(input, from, to);
      from = to;
    }
  }

  private void answerLate(FuzzChannel channel) {
    for (Runnable answer = lateAnswers.poll(); answer != null; answer = lateAnswers.poll()) {
      answer.run();
      channel.runPendingTasks();
    }
  }

  private static void requireHttp(byte[] sent) {
    if (sent.length == 0) {
      return;
    }
    boolean http1 = new String(sent, US_ASCII).startsWith("HTTP/1.1 ");
    boolean settings = sent.length > 9 && sent[3] == RawHttp2.SETTINGS;
    require(http1 || settings, "sent what is no HTTP");
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
