package io.spillway.tests.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongConsumer;

/**
 * An HTTP/1.1 sink that costs as little as it can: it answers 200 and keeps nothing. Requests are
 * looked into for the numbers of their items, but not those that begin with noise: they are
 * backlog, which carries no numbers, and are counted only.
 */
final class SocketSink implements AutoCloseable {
  /** The attribute that marks a request as backlog, and how far into it the attribute's key is. */
  static final String NOISE = "noise";

  private static final int HEAD_BYTES = 128;

  private static final int READ_BYTES = 256 << 10;

  private static final int MAX_LINE = 8 << 10;
  private static final byte[] OK =
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private final ServerSocket listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
  private final LongConsumer arrivals;
  private final LongAdder bodyBytes = new LongAdder();
  private volatile boolean hangs;

  /**
   * @param arrivals told the number of each item that arrives
   */
  SocketSink(LongConsumer arrivals) throws IOException {
    this.arrivals = arrivals;
    Thread.ofPlatform().daemon().name("sink").start(this::accept);
  }

  String url() {
    return "http://127.0.0.1:" + listener.getLocalPort();
  }

  /** Body bytes of all requests so far. */
  long bodyBytes() {
    return bodyBytes.sum();
  }

  /** Whether it reads requests and never answers; takes effect with the next request. */
  void hang(boolean hangs) {
    this.hangs = hangs;
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket socket = listener.accept();
        Thread.ofPlatform().daemon().name("sink connection").start(() -> serve(socket));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void serve(Socket socket) {
    byte[] thrownAway = new byte[READ_BYTES];
    try (socket;
        InputStream in = new BufferedInputStream(socket.getInputStream(), 64 << 10);
        OutputStream out = socket.getOutputStream()) {
      for (int length = bodyLength(in); length >= 0; length = bodyLength(in)) {
        byte[] head = in.readNBytes(Math.min(length, HEAD_BYTES));
        boolean noise = new String(head, StandardCharsets.ISO_8859_1).contains(NOISE);
        byte[] rest = noise ? null : in.readNBytes(length - head.length);
        for (int left = noise ? length - head.length : 0; left > 0; ) {
          int read = in.read(thrownAway, 0, Math.min(left, thrownAway.length));
          if (read < 0) {
            return;
          }
          left -= read;
        }
        if (hangs) {
          in.transferTo(OutputStream.nullOutputStream()); // until the sender gives up
          return;
        }
        bodyBytes.add(length);
        if (rest != null) {
          lookInto(ByteString.copyFrom(head).concat(ByteString.copyFrom(rest)));
        }
        out.write(OK);
      }
    } catch (IOException e) {
      // The sender has gone, which it may.
    }
  }

  /** Reads a request's head; -1 at the end of the connection. */
  private static int bodyLength(InputStream in) throws IOException {
    int length = -1;
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
        length = Integer.parseInt(line.substring(line.indexOf(':') + 1).strip());
      }
    }
    return length;
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      if (line.length() == MAX_LINE) {
        throw new IOException("header line beyond " + MAX_LINE + " bytes");
      }
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  private void lookInto(ByteString body) throws InvalidProtocolBufferException {
    Items.find(Kind.TRACES, ExportTraceServiceRequest.parseFrom(body).toByteString())
        .ids()
        .forEach(arrivals::accept);
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
