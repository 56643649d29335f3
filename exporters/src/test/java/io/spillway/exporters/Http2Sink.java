package io.spillway.exporters;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An HTTP/2 server without TLS that writes its frames by hand, so that a test decides about every
 * byte (RFC 9113 §4, §6; RFC 7541 §6.2.2).
 */
final class Http2Sink implements AutoCloseable {
  static final int DATA = 0;
  static final int HEADERS = 1;
  static final int RST_STREAM = 3;
  static final int SETTINGS = 4;
  static final int GOAWAY = 7;
  static final int END_STREAM = 1;
  static final int END_HEADERS = 4;
  private static final int PREFACE_BYTES = 24;

  final AtomicInteger requests = new AtomicInteger();
  private final AcceptingPort port;
  private final Script script;

  /** What is done with each request, once it is whole. */
  interface Script {
    /**
     * @return whether the connection goes on
     */
    boolean run(Connection connection, int stream) throws IOException;

    /** A complete answer of one HEADERS frame. */
    static Script headers(String... namesAndValues) {
      return (connection, stream) -> {
        connection.frame(HEADERS, END_STREAM | END_HEADERS, stream, block(namesAndValues));
        return true;
      };
    }

    /** A call that ends in this status, with more trailers. */
    static Script status(int code, String... more) {
      String[] all = new String[more.length + 6];
      System.arraycopy(
          new String[] {
            ":status", "200", "content-type", "application/grpc", "grpc-status", "" + code
          },
          0,
          all,
          0,
          6);
      System.arraycopy(more, 0, all, 6, more.length);
      return headers(all);
    }

    /** The beginning of an answer: headers with more of them, and one message. */
    static Script begin(byte[] framedMessage, String... more) {
      return (connection, stream) -> {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        block.writeBytes(block(":status", "200", "content-type", "application/grpc"));
        block.writeBytes(block(more));
        connection.frame(HEADERS, END_HEADERS, stream, block.toByteArray());
        if (framedMessage.length > 0) {
          connection.frame(DATA, 0, stream, framedMessage);
        }
        return true;
      };
    }

    static Script answer(byte[] message) {
      return begin(message(0, message)).then(trailers("grpc-status", "0"));
    }

    static Script trailers(String... namesAndValues) {
      return headers(namesAndValues);
    }

    static Script reset(int errorCode) {
      return (connection, stream) -> {
        connection.frame(RST_STREAM, 0, stream, number(errorCode));
        return true;
      };
    }

    /**
     * @param afterThis whether the stream of the request counts as the last one that is served
     */
    static Script goAway(boolean afterThis, int errorCode) {
      return (connection, stream) -> {
        ByteBuffer body = ByteBuffer.allocate(8).putInt(afterThis ? stream : 0).putInt(errorCode);
        connection.frame(GOAWAY, 0, 0, body.array());
        return true;
      };
    }

    static Script close() {
      return (connection, stream) -> false;
    }

    default Script then(Script next) {
      return (connection, stream) -> run(connection, stream) && next.run(connection, stream);
    }
  }

  /** A message behind its five bytes of gRPC. */
  static byte[] message(int flag, byte[] body) {
    return ByteBuffer.allocate(5 + body.length)
        .put((byte) flag)
        .putInt(body.length)
        .put(body)
        .array();
  }

  static byte[] number(int value) {
    return ByteBuffer.allocate(4).putInt(value).array();
  }

  /** Header fields as literals that are not indexed and not compressed. */
  static byte[] block(String... namesAndValues) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    for (int i = 0; i < namesAndValues.length; i++) {
      if (i % 2 == 0) {
        block.write(0);
      }
      byte[] text = namesAndValues[i].getBytes(ISO_8859_1);
      if (text.length < 127) {
        block.write(text.length);
      } else {
        block.write(127);
        int rest = text.length - 127;
        for (; rest > 127; rest >>>= 7) {
          block.write(rest & 127 | 128);
        }
        block.write(rest);
      }
      block.writeBytes(text);
    }
    return block.toByteArray();
  }

  /** The server's end of a connection. */
  record Connection(Socket socket, OutputStream out) {
    void frame(int type, int flags, int stream, byte[] body) throws IOException {
      ByteBuffer frame = ByteBuffer.allocate(9 + body.length);
      frame.put((byte) (body.length >>> 16)).putShort((short) body.length);
      frame.put((byte) type).put((byte) flags).putInt(stream).put(body);
      out.write(frame.array());
      out.flush();
    }
  }

  Http2Sink(Script script) {
    this.script = script;
    this.port = new AcceptingPort((at, socket) -> serve(socket));
  }

  int port() {
    return port.port();
  }

  private void serve(Socket socket) throws IOException {
    try (socket) {
      DataInputStream in = new DataInputStream(socket.getInputStream());
      Connection connection = new Connection(socket, socket.getOutputStream());
      in.skipNBytes(PREFACE_BYTES);
      connection.frame(SETTINGS, 0, 0, new byte[0]);
      boolean open = true;
      while (open) {
        int length = in.readUnsignedShort() << 8 | in.readUnsignedByte();
        int type = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        in.skipNBytes(length);
        if ((type == DATA || type == HEADERS) && (flags & END_STREAM) != 0) {
          requests.incrementAndGet();
          open = script.run(connection, stream);
        }
      }
    }
  }

  @Override
  public void close() {
    port.close();
  }
}
