package io.spillway.receivers;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * An HTTP/2 client that sends exactly the frames it is told, and keeps to the windows it is given.
 */
final class RawHttp2 implements AutoCloseable {
  static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

  static final int DATA = 0;
  static final int HEADERS = 1;
  static final int RST_STREAM = 3;
  static final int SETTINGS = 4;
  static final int PING = 6;
  static final int GOAWAY = 7;
  static final int WINDOW_UPDATE = 8;

  static final int END_STREAM = 1;
  static final int ACK = 1;
  static final int END_HEADERS = 4;

  private static final int MAX_CONCURRENT_STREAMS = 3;
  private static final int INITIAL_WINDOW_SIZE = 4;
  private static final int READ_TIMEOUT_MILLIS = 15_000;
  private static final int MAX_FRAME_BYTES = 16_384;
  private static final int FIRST_WINDOW = 65_535;

  private final Socket socket;
  private final DataInputStream in;
  private final OutputStream out;
  private final DefaultHttp2HeadersDecoder hpack = new DefaultHttp2HeadersDecoder();
  private final Map<Integer, Stream> streams = new HashMap<>();
  private int streamWindow = FIRST_WINDOW;
  private int connectionWindow = FIRST_WINDOW;
  private int maxStreams;
  private int goAwayLastStream = -1;
  private int goAwayError;

  /** Starts with prior knowledge. */
  RawHttp2(InetSocketAddress address) throws IOException {
    this(new Socket(address.getAddress(), address.getPort()));
    begin();
  }

  /** On a connection on which {@link #begin} is yet to be called. */
  RawHttp2(Socket socket) throws IOException {
    this(socket, socket.getInputStream());
  }

  RawHttp2(Socket socket, InputStream input) throws IOException {
    this.socket = socket;
    socket.setSoTimeout(READ_TIMEOUT_MILLIS);
    socket.setTcpNoDelay(true);
    in = new DataInputStream(input);
    out = socket.getOutputStream();
  }

  RawHttp2 begin() throws IOException {
    out.write(PREFACE.getBytes(US_ASCII));
    return frame(SETTINGS, 0, 0, new byte[0]);
  }

  RawHttp2 frame(int type, int flags, int stream, byte[] payload) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(9);
    head.put((byte) (payload.length >> 16)).putShort((short) payload.length);
    head.put((byte) type).put((byte) flags).putInt(stream);
    ByteArrayOutputStream frame = new ByteArrayOutputStream();
    frame.writeBytes(head.array());
    frame.writeBytes(payload);
    out.write(frame.toByteArray());
    out.flush();
    return this;
  }

  /** A HEADERS frame of name and value in turn, each as a literal. */
  RawHttp2 headers(int stream, boolean end, String... fields) throws IOException {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    for (int i = 0; i < fields.length; i += 2) {
      block.write(0);
      text(block, fields[i]);
      text(block, fields[i + 1]);
    }
    return frame(HEADERS, END_HEADERS | (end ? END_STREAM : 0), stream, block.toByteArray());
  }

  /** The head of a POST to {@code path}, its body still to come. */
  RawHttp2 post(int stream, String path, String... fields) throws IOException {
    String[] all =
        Arrays.copyOf(
            new String[] {
              ":method", "POST", ":scheme", "http", ":authority", "relay", ":path", path
            },
            8 + fields.length);
    System.arraycopy(fields, 0, all, 8, fields.length);
    return headers(stream, false, all);
  }

  RawHttp2 postTraces(int stream, String... fields) throws IOException {
    String[] all = Arrays.copyOf(fields, fields.length + 2);
    all[fields.length] = "content-type";
    all[fields.length + 1] = "application/x-protobuf";
    return post(stream, "/v1/traces", all);
  }

  /** The body in frames as large as may be; waits for windows. */
  RawHttp2 body(int stream, byte[] body) throws IOException {
    int sent = 0;
    do {
      int length = Math.min(body.length - sent, MAX_FRAME_BYTES);
      boolean last = sent + length == body.length;
      if (!data(stream, Arrays.copyOfRange(body, sent, sent + length), last)) {
        return this;
      }
      sent += length;
    } while (sent < body.length);
    return this;
  }

  /** One DATA frame, once there is room for it; false if the stream was reset instead. */
  boolean data(int stream, byte[] bytes, boolean end) throws IOException {
    while (connectionWindow < bytes.length || stream(stream).window < bytes.length) {
      if (stream(stream).reset >= 0) {
        return false;
      }
      readFrame();
    }
    connectionWindow -= bytes.length;
    stream(stream).window -= bytes.length;
    frame(DATA, end ? END_STREAM : 0, stream, bytes);
    return true;
  }

  RawHttp2 reset(int stream, int error) throws IOException {
    return frame(RST_STREAM, 0, stream, ByteBuffer.allocate(4).putInt(error).array());
  }

  /** The answer on a stream; reads until it is complete or the stream is reset. */
  Stream read(int stream) throws IOException {
    while (!stream(stream).ended && stream(stream).reset < 0) {
      readFrame();
    }
    return stream(stream);
  }

  /** The error that the server resets a stream with. */
  int readReset(int stream) throws IOException {
    while (stream(stream).reset < 0) {
      readFrame();
    }
    return stream(stream).reset;
  }

  /** The status of the first HEADERS frame on a stream. */
  String readStatus(int stream) throws IOException {
    while (stream(stream).headers.isEmpty()) {
      readFrame();
    }
    return stream(stream).headers.get(":status");
  }

  /** The last stream that the server says it takes. */
  int readGoAway() throws IOException {
    while (goAwayLastStream < 0) {
      readFrame();
    }
    return goAwayLastStream;
  }

  /** The error that the server ends the connection for. */
  int readGoAwayError() throws IOException {
    readGoAway();
    return goAwayError;
  }

  /** How many streams the server lets us have at a time. */
  int readMaxStreams() throws IOException {
    while (maxStreams == 0) {
      readFrame();
    }
    return maxStreams;
  }

  /** Reads on to the end of the connection. */
  void readToEnd() throws IOException {
    try {
      while (true) {
        readFrame();
      }
    } catch (EOFException e) {
      // What we waited for.
    }
  }

  private void readFrame() throws IOException {
    int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
    int type = in.readUnsignedByte();
    int flags = in.readUnsignedByte();
    int id = in.readInt();
    byte[] payload = in.readNBytes(length);
    ByteBuffer values = ByteBuffer.wrap(payload);
    switch (type) {
      case DATA -> stream(id).body.writeBytes(payload);
      case HEADERS -> readHeaders(id, payload);
      case RST_STREAM -> stream(id).reset = values.getInt();
      case SETTINGS -> readSettings(flags, values);
      case GOAWAY -> {
        goAwayLastStream = values.getInt();
        goAwayError = values.getInt();
      }
      case WINDOW_UPDATE -> {
        if (id == 0) {
          connectionWindow += values.getInt();
        } else {
          stream(id).window += values.getInt();
        }
      }
      default -> {}
    }
    if ((type == DATA || type == HEADERS) && (flags & END_STREAM) != 0) {
      stream(id).ended = true;
    }
  }

  private void readHeaders(int id, byte[] block) {
    try {
      hpack
          .decodeHeaders(id, Unpooled.wrappedBuffer(block))
          .forEach(
              field ->
                  stream(id).headers.put(field.getKey().toString(), field.getValue().toString()));
    } catch (Http2Exception e) {
      throw new AssertionError(e);
    }
  }

  private void readSettings(int flags, ByteBuffer values) throws IOException {
    if ((flags & ACK) != 0) {
      return;
    }
    while (values.hasRemaining()) {
      int id = values.getShort();
      int value = values.getInt();
      if (id == MAX_CONCURRENT_STREAMS) {
        maxStreams = value;
      } else if (id == INITIAL_WINDOW_SIZE) {
        int more = value - streamWindow;
        streamWindow = value;
        streams.values().forEach(stream -> stream.window += more);
      }
    }
    frame(SETTINGS, ACK, 0, new byte[0]);
  }

  private Stream stream(int id) {
    return streams.computeIfAbsent(id, absent -> new Stream(streamWindow));
  }

  private static void text(ByteArrayOutputStream block, String text) {
    byte[] bytes = text.getBytes(UTF_8);
    if (bytes.length < 127) {
      block.write(bytes.length);
    } else {
      // RFC 7541 §5.1: what does not fit seven bits, in groups of seven.
      block.write(127);
      int rest = bytes.length - 127;
      for (; rest >= 128; rest >>= 7) {
        block.write(rest & 127 | 128);
      }
      block.write(rest);
    }
    block.writeBytes(bytes);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  /** What came on one stream so far. */
  static final class Stream {
    private final Map<String, String> headers = new TreeMap<>();
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private int window;
    private int reset = -1;
    private boolean ended;

    Stream(int window) {
      this.window = window;
    }

    int status() {
      return Integer.parseInt(headers.getOrDefault(":status", "0"));
    }

    /** Null if absent. */
    String header(String name) {
      return headers.get(name);
    }

    byte[] body() {
      return body.toByteArray();
    }
  }
}
