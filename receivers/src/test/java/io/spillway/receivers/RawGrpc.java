package io.spillway.receivers;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A gRPC client that is not gRPC-Java: HTTP/2 frames on a socket (RFC 9113), as small and as wrong
 * as a test wants them. Obeys flow control. Reads on a thread of its own.
 */
final class RawGrpc implements AutoCloseable {
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final int PING = 6;
  private static final int GOAWAY = 7;
  private static final int WINDOW_UPDATE = 8;
  private static final int END_STREAM = 1;
  private static final int ACK = 1;
  private static final int END_HEADERS = 4;
  private static final int MAX_FRAME = 16_384;
  private static final int FIRST_WINDOW = 65_535;
  private static final int BIG_WINDOW = 64 << 20;
  private static final long PATIENCE_SECONDS = 20;

  private final Socket socket;
  private final DataOutputStream out;
  private final DataInputStream in;
  private final DefaultHttp2HeadersEncoder encoder =
      new DefaultHttp2HeadersEncoder(Http2HeadersEncoder.NEVER_SENSITIVE);
  private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false);
  private final Map<Integer, Call> calls = new ConcurrentHashMap<>();
  private final Semaphore window = new Semaphore(FIRST_WINDOW);
  private final CompletableFuture<String> goAway = new CompletableFuture<>();
  private final CompletableFuture<Void> pong = new CompletableFuture<>();
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private volatile int streamWindow = FIRST_WINDOW;
  private final CompletableFuture<Void> settings = new CompletableFuture<>();
  private int nextStream = 1;

  RawGrpc(InetSocketAddress address) throws IOException {
    this(new Socket(address.getAddress(), address.getPort()));
  }

  RawGrpc(Socket connected) throws IOException {
    socket = connected;
    socket.setTcpNoDelay(true);
    out = new DataOutputStream(socket.getOutputStream());
    in = new DataInputStream(socket.getInputStream());
    out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII));
    // SETTINGS_INITIAL_WINDOW_SIZE
    frame(SETTINGS, 0, 0, ByteBuffer.allocate(6).putShort((short) 4).putInt(BIG_WINDOW).array());
    frame(WINDOW_UPDATE, 0, 0, ByteBuffer.allocate(4).putInt(BIG_WINDOW).array());
    Thread.ofPlatform().daemon().name("raw-grpc").start(this::readFrames);
    join(settings);
  }

  /** The five bytes before each message, and the message. */
  static byte[] message(boolean compressed, byte[] body) {
    return ByteBuffer.allocate(5 + body.length)
        .put((byte) (compressed ? 1 : 0))
        .putInt(body.length)
        .put(body)
        .array();
  }

  /** One export of traces, as a client sends it that works. */
  Ended export(byte[] body) {
    return open().data(message(false, body), true).join();
  }

  /** Begins an export of traces; {@code more} are names and values. */
  Call open(String... more) {
    return open("/opentelemetry.proto.collector.trace.v1.TraceService/Export", more);
  }

  /** Begins a call; a later value of {@code more} takes the place of an earlier one. */
  synchronized Call open(String path, String[] more) {
    Map<String, String> fields = new HashMap<>();
    fields.put("content-type", "application/grpc");
    fields.put("te", "trailers");
    for (int i = 0; i < more.length; i += 2) {
      fields.put(more[i], more[i + 1]);
    }
    Http2Headers headers =
        new DefaultHttp2Headers().method("POST").scheme("http").path(path).authority("relay");
    fields.forEach(headers::set);
    Call call = new Call(nextStream);
    calls.put(nextStream, call);
    nextStream += 2;
    ByteBuf block = Unpooled.buffer();
    try {
      encoder.encodeHeaders(call.stream, headers, block);
      byte[] bytes = new byte[block.readableBytes()];
      block.readBytes(bytes);
      frame(HEADERS, END_HEADERS, call.stream, bytes);
    } catch (Http2Exception e) {
      throw new AssertionError(e);
    } finally {
      block.release();
    }
    return call;
  }

  /** Pings and waits for the answer. */
  void ping() {
    frame(PING, 0, 0, new byte[8]);
    join(pong);
  }

  /** Pings without waiting. */
  void pingOnly() {
    frame(PING, 0, 0, new byte[8]);
  }

  /** Waits until the server ends the connection: the error code and its words. */
  String goAway() {
    return join(goAway);
  }

  /** Waits until the server closed the connection. */
  void awaitEnd() {
    join(ended);
  }

  private static <T> T join(CompletableFuture<T> future) {
    return future.orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join();
  }

  private synchronized void frame(int type, int flags, int stream, byte[] payload) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      DataOutputStream frame = new DataOutputStream(bytes);
      frame.writeByte(payload.length >> 16);
      frame.writeShort(payload.length);
      frame.writeByte(type);
      frame.writeByte(flags);
      frame.writeInt(stream);
      frame.write(payload);
      out.write(bytes.toByteArray());
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void readFrames() {
    try {
      while (true) {
        int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
        int type = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        byte[] payload = new byte[length];
        in.readFully(payload);
        take(type, flags, stream, payload);
      }
    } catch (IOException | UncheckedIOException | Http2Exception e) {
      // The connection is at its end, and so are the calls on it.
      ended.complete(null);
      settings.completeExceptionally(e);
      pong.completeExceptionally(e);
      calls.values().forEach(call -> call.end("connection closed"));
      goAway.completeExceptionally(e);
    }
  }

  private void take(int type, int flags, int stream, byte[] payload) throws Http2Exception {
    Call call = calls.get(stream);
    switch (type) {
      case SETTINGS -> takeSettings(flags, payload);
      case PING -> {
        if ((flags & ACK) != 0) {
          pong.complete(null);
        } else {
          frame(PING, ACK, 0, payload);
        }
      }
      case GOAWAY -> {
        ByteBuffer words = ByteBuffer.wrap(payload);
        int code = words.getInt(4);
        goAway.complete(code + " " + new String(payload, 8, payload.length - 8, US_ASCII));
      }
      case WINDOW_UPDATE -> {
        int more = ByteBuffer.wrap(payload).getInt();
        (stream == 0 || call == null ? window : call.window).release(more);
      }
      case HEADERS -> {
        // Decoded in any case: the table of the decoder must follow.
        Http2Headers headers = decoder.decodeHeaders(stream, Unpooled.wrappedBuffer(payload));
        if (call != null) {
          headers.forEach(h -> call.headers.put(h.getKey().toString(), h.getValue().toString()));
          call.blocks++;
          call.endIf(flags);
        }
      }
      case DATA -> {
        if (call != null) {
          call.body.writeBytes(payload);
          call.endIf(flags);
        }
      }
      case RST_STREAM -> {
        if (call != null) {
          call.reset = ByteBuffer.wrap(payload).getInt();
          call.end("RST_STREAM " + call.reset);
        }
      }
      default -> {}
    }
  }

  private void takeSettings(int flags, byte[] payload) {
    if ((flags & ACK) != 0) {
      return;
    }
    for (ByteBuffer each = ByteBuffer.wrap(payload); each.hasRemaining(); ) {
      int id = each.getShort();
      int value = each.getInt();
      if (id == 4) {
        streamWindow = value;
      }
    }
    frame(SETTINGS, ACK, 0, new byte[0]);
    settings.complete(null);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  /** One stream. */
  final class Call {
    private final int stream;
    private final Semaphore window = new Semaphore(streamWindow);
    private final Map<String, String> headers = new ConcurrentHashMap<>();
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private final CompletableFuture<Ended> end = new CompletableFuture<>();
    private int blocks;
    private int reset = -1;

    Call(int stream) {
      this.stream = stream;
    }

    /** Sends in frames as large as they may be. Gives up the rest when the call has ended. */
    Call data(byte[] bytes, boolean last) {
      return data(bytes, MAX_FRAME, last);
    }

    Call data(byte[] bytes, int frameBytes, boolean last) {
      int sent = 0;
      do {
        int length = Math.min(frameBytes, bytes.length - sent);
        if (!takeWindow(length)) {
          return this;
        }
        byte[] part = new byte[length];
        System.arraycopy(bytes, sent, part, 0, length);
        sent += length;
        frame(DATA, last && sent == bytes.length ? END_STREAM : 0, stream, part);
      } while (sent < bytes.length);
      return this;
    }

    private boolean takeWindow(int length) {
      try {
        for (Semaphore each : List.of(window, RawGrpc.this.window)) {
          while (!each.tryAcquire(length, 50, TimeUnit.MILLISECONDS)) {
            if (end.isDone()) {
              return false;
            }
          }
        }
        return true;
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    void cancel() {
      frame(RST_STREAM, 0, stream, ByteBuffer.allocate(4).putInt(8).array());
    }

    boolean isDone() {
      return end.isDone();
    }

    /** What of the answer has come, as messages; the call may go on. */
    List<byte[]> messages() {
      List<byte[]> messages = new ArrayList<>();
      ByteBuffer bytes = ByteBuffer.wrap(body.toByteArray());
      while (bytes.remaining() >= 5) {
        bytes.get();
        byte[] message = new byte[bytes.getInt()];
        bytes.get(message);
        messages.add(message);
      }
      return messages;
    }

    Ended join() {
      return RawGrpc.join(end);
    }

    private void endIf(int flags) {
      if ((flags & END_STREAM) != 0) {
        end("");
      }
    }

    private void end(String how) {
      end.complete(new Ended(headers, body.toByteArray(), blocks, how));
    }
  }

  /** How a call ended. Not a record, because of its array. */
  static final class Ended {
    private final Map<String, String> headers;
    private final byte[] body;
    private final int blocks;
    private final String how;

    Ended(Map<String, String> headers, byte[] body, int blocks, String how) {
      this.headers = headers;
      this.body = body;
      this.blocks = blocks;
      this.how = how;
    }

    /** The value of {@code grpc-status}; -1 if there is none. */
    int code() {
      return Integer.parseInt(headers.getOrDefault("grpc-status", "-1"));
    }

    /** Of headers and trailers; null if absent. */
    @Nullable String header(String name) {
      return headers.get(name);
    }

    /** Framed messages. */
    byte[] body() {
      return body;
    }

    /** How many blocks of headers came: two with trailers after an answer, one without. */
    int blocks() {
      return blocks;
    }

    @Override
    public String toString() {
      return headers + " " + body.length + " bytes " + how;
    }
  }
}
