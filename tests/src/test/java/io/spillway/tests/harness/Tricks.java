package io.spillway.tests.harness;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.spillway.tests.harness.Fault.Trick;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;

/** Tricks of sinks after which data must still be there, by name. */
public final class Tricks {

  private static final Pattern LENGTH =
      Pattern.compile("content-length: *(\\d+)", Pattern.CASE_INSENSITIVE);
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final int GOAWAY = 7;
  private static final int END_STREAM = 1;
  private static final int END_HEADERS = 4;
  private static final int PREFACE_BYTES = 24;

  private Tricks() {}

  /** Of sinks of any protocol: they never look at what they are sent. */
  private static Map<String, Trick> blind() {
    Map<String, Trick> tricks = new LinkedHashMap<>();
    tricks.put("closes", client -> {});
    tricks.put("resets", Tricks::reset);
    tricks.put(
        "resets-in-request",
        client -> {
          client.getInputStream().readNBytes(20);
          reset(client);
        });
    tricks.put("hangs", Tricks::hang);
    tricks.put(
        "no-protocol",
        client -> {
          client.getOutputStream().write(ascii("SSH-2.0-OpenSSH_9.6\r\n"));
          hang(client);
        });
    return tricks;
  }

  /** Of an HTTP sink. */
  public static Map<String, Trick> http() {
    Map<String, Trick> tricks = blind();
    tricks.put("resets-after-request", answering(client -> reset(client)));
    tricks.put("resets-in-head", saying("HTTP/1.1 20", Tricks::reset));
    tricks.put("resets-in-body", saying(ok("Content-Length: 9") + "x", Tricks::reset));
    tricks.put("hangs-after-request", answering(Tricks::hang));
    tricks.put("hangs-in-body", saying(ok("Content-Length: 9") + "x", Tricks::hang));
    tricks.put("too-short", saying(ok("Content-Length: 9") + "x", client -> {}));
    tricks.put("drips", answering(Tricks::drip));
    tricks.put("only-interim", saying("HTTP/1.1 103 Early Hints\r\n\r\n", Tricks::hang));
    tricks.put("bad-chunks", saying(ok("Transfer-Encoding: chunked") + "zz\r\n", Tricks::hang));
    tricks.put("bad-length", saying(ok("Content-Length: many"), Tricks::hang));
    tricks.put("redirects", status(307, "Location: http://127.0.0.1:1/", new byte[0]));
    tricks.put("401-text", status(401, "Content-Type: text/plain", ascii("who?")));
    tricks.put("404-page", status(404, "Content-Type: text/html", ascii("<p>not here</p>")));
    tricks.put("408", status(408, "X: y", new byte[0]));
    tricks.put("500-garbage", status(500, "Content-Type: application/x-protobuf", ascii("zzz")));
    tricks.put("502-bomb", status(502, "Content-Encoding: gzip", bomb()));
    tricks.put("503-unknown-encoding", status(503, "Content-Encoding: br", ascii("x")));
    tricks.put("503-retry-after-junk", status(503, "Retry-After: soon", new byte[0]));
    return tricks;
  }

  /** Of a gRPC sink. */
  public static Map<String, Trick> grpc() {
    Map<String, Trick> tricks = blind();
    tricks.put("http1", client -> client.getOutputStream().write(ascii(ok("Content-Length: 0"))));
    tricks.put("ends", frames((out, stream) -> false));
    tricks.put("hangs-after-request", frames((out, stream) -> true));
    tricks.put("goaway", frames((out, stream) -> frame(out, GOAWAY, 0, 0, new byte[8])));
    tricks.put(
        "goaway-of-more",
        frames(
            (out, stream) -> {
              frame(out, GOAWAY, 0, 0, ByteBuffer.allocate(8).putInt(stream).array());
              return false;
            }));
    for (int code : new int[] {0, 2, 7, 8, 11}) {
      tricks.put(
          "rst-" + code, frames((out, stream) -> frame(out, RST_STREAM, 0, stream, number(code))));
    }
    for (int code : new int[] {404, 429, 502}) {
      tricks.put("status-" + code, headers(":status", "" + code, "content-type", "text/html"));
    }
    for (int code : new int[] {2, 12, 13, 14, 16}) {
      tricks.put(
          "grpc-" + code,
          headers(":status", "200", "content-type", "application/grpc", "grpc-status", "" + code));
    }
    tricks.put("no-status", headers(":status", "200", "content-type", "application/grpc"));
    tricks.put(
        "unknown-encoding",
        frames(
            (out, stream) -> {
              byte[] block =
                  block(
                      ":status", "200", "content-type", "application/grpc", "grpc-encoding", "br");
              frame(out, HEADERS, END_HEADERS, stream, block);
              return frame(out, DATA, 0, stream, new byte[] {1, 0, 0, 0, 1, 'x'});
            }));
    return tricks;
  }

  // --- HTTP

  private static Trick answering(Trick answer) {
    return client -> {
      while (readRequest(client.getInputStream())) {
        answer.play(client);
      }
    };
  }

  private static Trick saying(String head, Trick then) {
    return answering(
        client -> {
          client.getOutputStream().write(ascii(head));
          client.getOutputStream().flush();
          then.play(client);
          client.close();
        });
  }

  private static Trick status(int code, String header, byte[] body) {
    String head =
        "HTTP/1.1 %d Told\r\n%s\r\nContent-Length: %d\r\n\r\n".formatted(code, header, body.length);
    return answering(
        client -> {
          OutputStream out = client.getOutputStream();
          out.write(ascii(head));
          out.write(body);
          out.flush();
        });
  }

  private static String ok(String header) {
    return "HTTP/1.1 200 OK\r\n" + header + "\r\n\r\n";
  }

  private static boolean readRequest(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int c = in.read();
      if (c < 0) {
        return false;
      }
      head.append((char) c);
    }
    Matcher length = LENGTH.matcher(head);
    return !length.find() || in.skip(Long.parseLong(length.group(1))) >= 0;
  }

  private static void drip(Socket client) throws IOException {
    for (byte b : ascii(ok("Content-Length: 1000") + "x".repeat(1000))) {
      client.getOutputStream().write(b);
      rest();
    }
  }

  private static void rest() {
    try {
      var _ = new CountDownLatch(1).await(100, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static byte[] bomb() {
    try (ByteArrayOutputStream bytes = new ByteArrayOutputStream()) {
      try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
        gzip.write(new byte[16 << 20]);
      }
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new AssertionError("memory failed", e);
    }
  }

  // --- HTTP/2 (RFC 9113 §4, §6; RFC 7541 §6.2.2)

  /** What is done with a request once it is whole. */
  private interface Answer {
    /**
     * @return whether the connection goes on
     */
    boolean answer(OutputStream out, int stream) throws IOException;
  }

  private static Trick frames(Answer answer) {
    return client -> {
      DataInputStream in = new DataInputStream(client.getInputStream());
      OutputStream out = client.getOutputStream();
      in.skipNBytes(PREFACE_BYTES);
      boolean open = frame(out, SETTINGS, 0, 0, new byte[0]);
      while (open) {
        int length = in.readUnsignedShort() << 8 | in.readUnsignedByte();
        int type = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        in.skipNBytes(length);
        if (type == DATA && (flags & END_STREAM) != 0) {
          open = answer.answer(out, stream);
        }
      }
    };
  }

  private static Trick headers(String... namesAndValues) {
    byte[] block = block(namesAndValues);
    return frames((out, stream) -> frame(out, HEADERS, END_STREAM | END_HEADERS, stream, block));
  }

  /** Always true, so that a trick can end with it. */
  private static boolean frame(OutputStream out, int type, int flags, int stream, byte[] body)
      throws IOException {
    ByteBuffer frame = ByteBuffer.allocate(9 + body.length);
    frame.put((byte) (body.length >>> 16)).putShort((short) body.length);
    frame.put((byte) type).put((byte) flags).putInt(stream).put(body);
    out.write(frame.array());
    out.flush();
    return true;
  }

  private static byte[] number(int value) {
    return ByteBuffer.allocate(4).putInt(value).array();
  }

  /** Literal fields, neither indexed nor compressed; texts below 127 bytes. */
  private static byte[] block(String... namesAndValues) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    for (int i = 0; i < namesAndValues.length; i++) {
      if (i % 2 == 0) {
        block.write(0);
      }
      byte[] text = ascii(namesAndValues[i]);
      block.write(text.length);
      block.writeBytes(text);
    }
    return block.toByteArray();
  }

  // --- both

  private static void reset(Socket client) throws IOException {
    client.setSoLinger(true, 0);
    client.close();
  }

  /** Until the client goes away. */
  private static void hang(Socket client) throws IOException {
    client.getInputStream().transferTo(OutputStream.nullOutputStream());
  }

  private static byte[] ascii(String text) {
    return text.getBytes(ISO_8859_1);
  }
}
