package io.spillway.tests.harness;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** An HTTP proxy. Whatever it is asked to connect to, it opens a tunnel to one sink. */
public final class TunnelProxy implements AutoCloseable {
  private static final int BACKLOG = 128;
  private static final int MAX_HEAD_BYTES = 16 << 10;
  private static final byte[] ESTABLISHED =
      "HTTP/1.1 200 Connection established\r\n\r\n".getBytes(ISO_8859_1);

  private final ServerSocket listener =
      new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
  private final InetSocketAddress sink;
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final AtomicInteger tunnels = new AtomicInteger();

  public TunnelProxy(InetSocketAddress sink) throws IOException {
    this.sink = sink;
    Thread.ofVirtual().name("proxy").start(this::accept);
  }

  public int port() {
    return listener.getLocalPort();
  }

  /** The heads of all requests. */
  public List<String> requests() {
    return List.copyOf(requests);
  }

  /** Tunnels that are open now. */
  public int tunnels() {
    return tunnels.get();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        Thread.ofVirtual().start(() -> serve(client));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void serve(Socket client) {
    try (client;
        Socket server = new Socket()) {
      requests.add(head(client.getInputStream()));
      server.connect(sink);
      client.getOutputStream().write(ESTABLISHED);
      tunnels.incrementAndGet();
      try {
        Thread.ofVirtual().start(() -> Pump.run(server, client, passed -> {}));
        Pump.run(client, server, passed -> {});
      } finally {
        tunnels.decrementAndGet();
      }
    } catch (IOException e) {
      // One side went away.
    }
  }

  private static String head(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int c = in.read();
      if (c < 0 || head.length() == MAX_HEAD_BYTES) {
        throw new IOException("no request: " + head);
      }
      head.append((char) c);
    }
    return head.toString();
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
