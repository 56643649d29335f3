package io.spillway.exporters;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A listening socket that serves each connection on a thread of its own, until it is closed. */
final class AcceptingPort implements AutoCloseable {
  private static final int BACKLOG = 100;

  private final ServerSocket server;
  private final Serve serve;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

  /** What is done with a connection. */
  @FunctionalInterface
  interface Serve {
    /**
     * @param port that the client came to
     */
    void serve(AcceptingPort port, Socket client) throws IOException, InterruptedException;
  }

  /** A free port of the loopback interface. */
  AcceptingPort(Serve serve) {
    this(InetAddress.getLoopbackAddress(), 0, serve);
  }

  AcceptingPort(InetAddress address, int port, Serve serve) {
    this(listen(address, port), serve);
  }

  AcceptingPort(ServerSocket bound, Serve serve) {
    this.server = bound;
    this.serve = serve;
    Thread.ofVirtual().start(this::accept);
  }

  private static ServerSocket listen(InetAddress address, int port) {
    try {
      return new ServerSocket(port, BACKLOG, address);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int port() {
    return server.getLocalPort();
  }

  /** Closes this one too when it closes. */
  void own(Socket socket) {
    sockets.add(socket);
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        own(client);
        Thread.ofVirtual().start(() -> serve(client));
      } catch (IOException e) {
        // Closed.
      }
    }
  }

  private void serve(Socket client) {
    try {
      serve.serve(this, client);
    } catch (IOException | InterruptedException e) {
      // The client went away.
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
