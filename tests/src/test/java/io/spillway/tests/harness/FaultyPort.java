package io.spillway.tests.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A TCP port in front of a server, which can vanish, come back as the same port, and reset or play
 * with what connects to it.
 */
final class FaultyPort implements AutoCloseable {

  private static final int BACKLOG = 128;

  private final String address = Loopback.address();
  private final int serverPort;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final int port;
  private volatile boolean resetting;
  private volatile Fault.@Nullable Trick trick;
  private @Nullable ServerSocket listener;

  /** Opens a free port of an address of its own in front of a server on 127.0.0.1. */
  FaultyPort(int serverPort) {
    this.serverPort = serverPort;
    this.port = listen(0);
  }

  String authority() {
    return address + ":" + port;
  }

  InetSocketAddress address() {
    return new InetSocketAddress(address, port);
  }

  /** Listens again, if it did not, and passes everything on. */
  synchronized void heal() {
    resetting = false;
    if (trick != null) {
      trick = null;
      sockets.forEach(FaultyPort::closeQuietly);
    }
    if (listener == null) {
      listen(port);
    }
  }

  /** Stops to listen and ends all connections. */
  synchronized void refuse() {
    ServerSocket open = listener;
    listener = null;
    closeQuietly(open);
    sockets.forEach(FaultyPort::closeQuietly);
  }

  /** Resets all connections, those to come included. */
  synchronized void reset() {
    heal();
    resetting = true;
    sockets.forEach(FaultyPort::resetQuietly);
  }

  /** Plays with all connections to come; those that are open end. */
  synchronized void play(Fault.Trick newTrick) {
    heal();
    trick = newTrick;
    sockets.forEach(FaultyPort::closeQuietly);
  }

  @Override
  public void close() {
    refuse();
  }

  private synchronized int listen(int wanted) {
    try {
      ServerSocket socket = new ServerSocket();
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getByName(address), wanted), BACKLOG);
      listener = socket;
      Thread.ofVirtual().name("port-" + address).start(() -> accept(socket));
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept(ServerSocket socket) {
    while (!socket.isClosed()) {
      try {
        Socket client = socket.accept();
        Fault.Trick now = trick;
        if (resetting) {
          resetQuietly(client);
        } else if (now != null) {
          sockets.add(client);
          Thread.ofVirtual().start(() -> play(now, client));
        } else {
          connect(client);
        }
      } catch (IOException e) {
        // Closed, or one connection was too short to be seen: the loop's condition tells.
      }
    }
  }

  private void connect(Socket client) throws IOException {
    Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
    client.setTcpNoDelay(true);
    server.setTcpNoDelay(true);
    sockets.add(client);
    sockets.add(server);
    Thread.ofVirtual().start(() -> pump(client, server));
    Thread.ofVirtual().start(() -> pump(server, client));
  }

  private void play(Fault.Trick played, Socket client) {
    try {
      played.play(client);
    } catch (IOException e) {
      // The client went away.
    } finally {
      closeQuietly(client);
      sockets.remove(client);
    }
  }

  private void pump(Socket from, Socket to) {
    Pump.run(from, to, passed -> {});
    sockets.remove(from);
    sockets.remove(to);
  }

  private static void resetQuietly(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
    } catch (IOException e) {
      // Closed before: nothing left to reset.
    }
    closeQuietly(socket);
  }

  private static void closeQuietly(@Nullable AutoCloseable closeable) {
    try {
      if (closeable != null) {
        closeable.close();
      }
    } catch (Exception e) {
      // A test sink has nobody to tell.
    }
  }
}
