package io.spillway.tests.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * Connections that begin a request and go on a byte at a time. One thread at a time; errors of a
 * connection count as its end.
 */
public final class SlowSenders implements AutoCloseable {
  private static final int CONNECT_MILLIS = 30_000;

  private final List<SocketChannel> open = new ArrayList<>();

  /** Opens connections that all begin alike. */
  public SlowSenders open(String authority, int count, byte[] begin) {
    int colon = authority.lastIndexOf(':');
    InetSocketAddress address =
        new InetSocketAddress(
            authority.substring(0, colon), Integer.parseInt(authority.substring(colon + 1)));
    for (int i = 0; i < count; i++) {
      try {
        SocketChannel connection = SocketChannel.open();
        open.add(connection);
        connection.socket().connect(address, CONNECT_MILLIS);
        connection.write(ByteBuffer.wrap(begin));
        connection.configureBlocking(false);
      } catch (IOException e) {
        throw new UncheckedIOException("connection " + open.size(), e);
      }
    }
    return this;
  }

  /** Every connection sends one more byte; returns how many could. */
  public int drip(byte next) {
    int alive = 0;
    for (SocketChannel connection : open) {
      try {
        connection.write(ByteBuffer.wrap(new byte[] {next}));
        alive++;
      } catch (IOException e) {
        // The relay ended it, which is its right.
      }
    }
    return alive;
  }

  public int size() {
    return open.size();
  }

  @Override
  public void close() {
    for (SocketChannel connection : open) {
      try {
        connection.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
