package io.spillway.receivers;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** An HTTP/1.1 client that sends exactly what it is told. */
final class RawHttp implements AutoCloseable {
  private static final int READ_TIMEOUT_MILLIS = 15_000;

  private final Socket socket;
  private final InputStream in;
  private final OutputStream out;

  RawHttp(InetSocketAddress address) throws IOException {
    this(new Socket(address.getAddress(), address.getPort()));
  }

  RawHttp(Socket connected) throws IOException {
    socket = connected;
    socket.setSoTimeout(READ_TIMEOUT_MILLIS);
    socket.setTcpNoDelay(true);
    in = new BufferedInputStream(socket.getInputStream());
    out = socket.getOutputStream();
  }

  RawHttp send(String text) throws IOException {
    return send(text.getBytes(UTF_8));
  }

  RawHttp send(byte[] bytes) throws IOException {
    out.write(bytes);
    out.flush();
    return this;
  }

  /** A POST with a Content-Length; {@code headers} are lines that end in CRLF. */
  RawHttp post(String path, String headers, byte[] body) throws IOException {
    return send("POST "
            + path
            + " HTTP/1.1\r\nHost: relay\r\nContent-Length: "
            + body.length
            + "\r\n"
            + headers
            + "\r\n")
        .send(body);
  }

  RawHttp postProtobuf(byte[] body) throws IOException {
    return post("/v1/traces", "Content-Type: application/x-protobuf\r\n", body);
  }

  RawHttp chunk(byte[] bytes) throws IOException {
    return send(Integer.toHexString(bytes.length) + "\r\n").send(bytes).send("\r\n");
  }

  RawHttp endOutput() throws IOException {
    socket.shutdownOutput();
    return this;
  }

  Response read() throws IOException {
    String[] statusLine = readLine().split(" ", 3);
    Map<String, String> headers = new TreeMap<>();
    for (String line = readLine(); !line.isEmpty(); line = readLine()) {
      int colon = line.indexOf(':');
      headers.merge(
          line.substring(0, colon).toLowerCase(Locale.ROOT),
          line.substring(colon + 1).trim(),
          (one, other) -> one + "," + other);
    }
    int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
    byte[] body = in.readNBytes(length);
    if (body.length != length) {
      throw new EOFException("body ended after " + body.length + " of " + length + " bytes");
    }
    return new Response(Integer.parseInt(statusLine[1]), headers, body);
  }

  /** The rest of the connection, after an upgrade. */
  RawHttp2 goOnInHttp2() throws IOException {
    return new RawHttp2(socket, in).begin();
  }

  /** Whether the server closed its side, without another byte. */
  boolean isAtEnd() throws IOException {
    return in.read() < 0;
  }

  private String readLine() throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      int b = in.read();
      if (b < 0) {
        throw new EOFException("connection ended after \"" + line + "\"");
      }
      if (b == '\n') {
        return line.toString().stripTrailing();
      }
      line.append(new String(new byte[] {(byte) b}, ISO_8859_1));
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  /** What the server said. Not a record, because of its array. */
  static final class Response {
    private final int status;
    private final Map<String, String> headers;
    private final byte[] body;

    Response(int status, Map<String, String> headers, byte[] body) {
      this.status = status;
      this.headers = headers;
      this.body = body;
    }

    int status() {
      return status;
    }

    /** Null if absent. */
    String header(String name) {
      return headers.get(name);
    }

    byte[] body() {
      return body;
    }

    String text() {
      return new String(body, UTF_8);
    }
  }
}
