package io.spillway.exporters;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A TCP port in front of a sink that counts what passes, as a network would. */
final class CountingPort implements AutoCloseable {
  final AtomicLong toSink = new AtomicLong();
  final AtomicLong fromSink = new AtomicLong();
  final AtomicInteger connections = new AtomicInteger();
  private final AcceptingPort port;
  private final int sinkPort;

  CountingPort(int sinkPort) {
    this("127.0.0.1", 0, sinkPort);
  }

  /** A port of an address of the loopback interface. */
  CountingPort(String address, int port, int sinkPort) {
    this.sinkPort = sinkPort;
    this.port = new AcceptingPort(InetAddress.ofLiteral(address), port, this::pass);
  }

  int port() {
    return port.port();
  }

  private void pass(AcceptingPort own, Socket client) throws IOException {
    Socket sink = new Socket(InetAddress.getLoopbackAddress(), sinkPort);
    own.own(sink);
    connections.incrementAndGet();
    Thread.ofVirtual().start(() -> pump(client, sink, toSink));
    Thread.ofVirtual().start(() -> pump(sink, client, fromSink));
  }

  private static void pump(Socket from, Socket to, AtomicLong count) {
    byte[] buffer = new byte[64 << 10];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        count.addAndGet(n);
        out.write(buffer, 0, n);
      }
    } catch (IOException e) {
      // One side went away.
    }
  }

  @Override
  public void close() {
    port.close();
  }
}
