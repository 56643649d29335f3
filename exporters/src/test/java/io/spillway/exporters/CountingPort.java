package io.spillway.exporters;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A TCP port in front of a sink that counts what passes, as a network would. */
final class CountingPort implements AutoCloseable {
  final AtomicLong toSink = new AtomicLong();
  final AtomicLong fromSink = new AtomicLong();
  final AtomicInteger connections = new AtomicInteger();
  final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final ServerSocket server;
  private final int sinkPort;

  CountingPort(int sinkPort) {
    this("127.0.0.1", 0, sinkPort);
  }

  /** A port of an address of the loopback interface. */
  CountingPort(String address, int port, int sinkPort) {
    this.sinkPort = sinkPort;
    try {
      server = new ServerSocket(port, 100, InetAddress.ofLiteral(address));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        Socket sink = new Socket(InetAddress.getLoopbackAddress(), sinkPort);
        sockets.add(client);
        sockets.add(sink);
        connections.incrementAndGet();
        Thread.ofVirtual().start(() -> pump(client, sink, toSink));
        Thread.ofVirtual().start(() -> pump(sink, client, fromSink));
      } catch (IOException e) {
        // Closed.
      }
    }
  }

  private void pump(Socket from, Socket to, AtomicLong count) {
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
    } finally {
      sockets.remove(from);
      sockets.remove(to);
    }
  }

  @Override
  public void close() {
    try {
      server.close();
      for (Socket socket : sockets) {
        socket.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
