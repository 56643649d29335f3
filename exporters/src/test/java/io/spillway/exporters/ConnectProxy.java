package io.spillway.exporters;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** An HTTP proxy on plain sockets that opens tunnels, or does as a test says. */
final class ConnectProxy implements AutoCloseable {
  /** The heads of all requests. */
  final List<String> requests = new CopyOnWriteArrayList<>();

  /** What it answers instead of opening a tunnel; null to open one. */
  volatile String answer;

  /** Whether it says nothing at all. */
  volatile boolean silent;

  private final AcceptingPort port;
  private final int sinkPort;

  /**
   * Whatever it is asked to connect to, it connects to this port of the loopback interface; if that
   * is 0, to the port that it is asked for.
   */
  ConnectProxy(int sinkPort) {
    this.sinkPort = sinkPort;
    this.port = new AcceptingPort(this::serve);
  }

  int port() {
    return port.port();
  }

  private void serve(AcceptingPort own, Socket client) throws IOException {
    StringBuilder head = new StringBuilder();
    InputStream in = client.getInputStream();
    while (head.indexOf("\r\n\r\n") < 0) {
      int c = in.read();
      if (c < 0) {
        return;
      }
      head.append((char) c);
    }
    requests.add(head.toString());
    if (silent) {
      return;
    }
    if (answer != null) {
      try (client) {
        client.getOutputStream().write(answer.getBytes(ISO_8859_1));
      }
      return;
    }
    int asked = Integer.parseInt(head.substring(head.indexOf(":") + 1, head.indexOf(" HTTP/")));
    int port = sinkPort == 0 ? asked : sinkPort;
    Socket sink = new Socket(InetAddress.getLoopbackAddress(), port);
    own.own(sink);
    client
        .getOutputStream()
        .write(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 Connection established\r\nVia: test\r\n\r\n"
                .getBytes(ISO_8859_1));
    Thread.ofVirtual().start(() -> pump(client, sink));
    Thread.ofVirtual().start(() -> pump(sink, client));
  }

  private static void pump(Socket from, Socket to) {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      in.transferTo(out);
    } catch (IOException e) {
      // One side went away.
    }
  }

  @Override
  public void close() {
    port.close();
  }
}
