package io.spillway.exporters;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.rpc.ExportResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/** An HTTP/1.1 sink on plain sockets, so that a test decides about every byte. */
final class HttpSink implements Sink {
  final List<String> paths = new CopyOnWriteArrayList<>();
  final AtomicInteger connections = new AtomicInteger();
  private final AcceptingPort port;
  private final List<Received> received = new CopyOnWriteArrayList<>();
  private final List<String> clients = new CopyOnWriteArrayList<>();
  private final AtomicInteger abandoned = new AtomicInteger();
  private volatile CountDownLatch held = new CountDownLatch(0);

  /** Reads requests before it answers them; a script may read for itself. */
  volatile boolean readsRequests = true;

  /** What is done after each request. */
  volatile Script script = Script.ok(new byte[0]);

  /** One answer. */
  interface Script {
    /**
     * @return whether the connection is kept
     */
    boolean run(Socket socket, OutputStream out) throws IOException;

    static Script bytes(String head, byte[] body) {
      return (socket, out) -> {
        ByteArrayOutputStream answer = new ByteArrayOutputStream();
        answer.writeBytes(head.replace("\n", "\r\n").getBytes(ISO_8859_1));
        answer.writeBytes(body);
        out.write(answer.toByteArray());
        out.flush();
        return true;
      };
    }

    /** An answer with a length; further header lines end in a line feed each. */
    static Script status(String status, String headers, byte[] body) {
      return bytes(
          "HTTP/1.1 " + status + "\n" + headers + "Content-Length: " + body.length + "\n\n", body);
    }

    static Script ok(byte[] protobuf) {
      return status("200 OK", "Content-Type: application/x-protobuf\n", protobuf);
    }

    /** Ends the connection as if the process had died. */
    static Script reset() {
      return (socket, out) -> {
        socket.setSoLinger(true, 0);
        return false;
      };
    }

    default Script then(Script next) {
      return (socket, out) -> run(socket, out) && next.run(socket, out);
    }
  }

  HttpSink(int port, @Nullable Tls tls) {
    try {
      ServerSocket server = tls == null ? new ServerSocket() : tlsSocket(tls);
      server.setReuseAddress(true);
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      this.port = new AcceptingPort(server, (at, socket) -> serve(socket));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ServerSocket tlsSocket(Tls tls) throws IOException {
    SslContextBuilder builder =
        SslContextBuilder.forServer(
                tls.server().certificate().toFile(), tls.server().key().toFile())
            .sslProvider(SslProvider.JDK);
    if (tls.trustedClients() != null) {
      builder.trustManager(tls.trustedClients().toFile()).clientAuth(ClientAuth.REQUIRE);
    }
    var context = ((JdkSslContext) builder.build()).context();
    SSLServerSocket socket =
        (SSLServerSocket) context.getServerSocketFactory().createServerSocket();
    socket.setNeedClientAuth(tls.trustedClients() != null);
    return socket;
  }

  private void serve(Socket socket) throws IOException, InterruptedException {
    connections.incrementAndGet();
    try (socket) {
      boolean kept = true;
      while (kept && (!readsRequests || read(socket))) {
        waitWhileHeld(socket);
        kept = script.run(socket, socket.getOutputStream());
      }
    }
  }

  private void waitWhileHeld(Socket socket) throws IOException, InterruptedException {
    CountDownLatch gate = held;
    socket.setSoTimeout(20);
    while (gate.getCount() > 0) {
      try {
        if (socket.getInputStream().read() < 0) {
          abandoned.incrementAndGet();
          throw new IOException("gone");
        }
      } catch (SocketTimeoutException e) {
        // Still there.
      }
    }
    socket.setSoTimeout(0);
  }

  private boolean read(Socket socket) throws IOException {
    InputStream in = socket.getInputStream();
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int c = in.read();
      if (c < 0) {
        return false;
      }
      head.append((char) c);
    }
    List<String> lines = head.toString().lines().filter(line -> !line.isEmpty()).toList();
    Map<String, String> headers = new HashMap<>();
    for (String line : lines.subList(1, lines.size())) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    byte[] body = in.readNBytes(Integer.parseInt(headers.get("content-length")));
    String path = lines.getFirst().split(" ", -1)[1];
    paths.add(path);
    clients.add(client(socket));
    received.add(new Received(signal(path), headers, Slice.of(body)));
    return true;
  }

  private static String client(Socket socket) {
    try {
      return socket instanceof SSLSocket tls ? tls.getSession().getPeerPrincipal().getName() : "";
    } catch (SSLPeerUnverifiedException e) {
      return "";
    }
  }

  private static @Nullable Signal signal(String path) {
    return Arrays.stream(Signal.values())
        .filter(signal -> path.endsWith(signal.httpPath()))
        .findAny()
        .orElse(null);
  }

  @Override
  public int port() {
    return port.port();
  }

  @Override
  public List<Received> received() {
    return received;
  }

  @Override
  public List<String> clients() {
    return clients;
  }

  @Override
  public void answerPartialSuccess(long rejected, String message) {
    script = Script.ok(new ExportResponse(rejected, message).toProtobuf());
  }

  @Override
  public void answerThrottled(Duration after) {
    script =
        Script.status(
            "503 Service Unavailable", "Retry-After: " + after.toSeconds() + "\n", new byte[0]);
  }

  @Override
  public void hold() {
    held = new CountDownLatch(1);
  }

  @Override
  public void release() {
    held.countDown();
  }

  @Override
  public int abandoned() {
    return abandoned.get();
  }

  @Override
  public void close() {
    port.close();
  }
}
