package io.spillway.tests.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** A TCP port in front of a sink that counts the bytes of both directions. */
public final class WireTap implements AutoCloseable {
  private final AtomicLong toSink = new AtomicLong();
  private final AtomicLong fromSink = new AtomicLong();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final InetSocketAddress sink;
  private final ServerSocket server;

  public WireTap(CapturingSink sink) {
    URI endpoint = URI.create(sink.endpoint());
    this.sink = new InetSocketAddress(endpoint.getHost(), endpoint.getPort());
    try {
      server = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  public String endpoint() {
    return "http://127.0.0.1:" + server.getLocalPort();
  }

  public long bytesToSink() {
    return toSink.get();
  }

  public long bytesFromSink() {
    return fromSink.get();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        Socket onward = new Socket(sink.getAddress(), sink.getPort());
        sockets.add(client);
        sockets.add(onward);
        Thread.ofVirtual().start(() -> Pump.run(client, onward, toSink::addAndGet));
        Thread.ofVirtual().start(() -> Pump.run(onward, client, fromSink::addAndGet));
      } catch (IOException e) {
        // Closed, or one side went away: the loop's condition tells.
      }
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
