package io.spillway.exporters;

import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import io.spillway.otlp.stage.WireBytes;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one exporter to one place, at most {@code max_connections}. Who finds none
 * free waits in line. Belongs to one event loop, so it needs no locks.
 */
final class HttpConnections implements HttpConnection.Owner {
  private static final int MAX_WAITING = 1024;

  private final Endpoint endpoint;
  private final @Nullable SslContext tls;
  private final String serverName;
  private final EventLoop loop;
  private final Dialer dialer;
  private final Duration timeout;
  private final int maxConnections;
  private final Set<HttpConnection> open = new HashSet<>();
  private final Deque<HttpConnection> idle = new ArrayDeque<>();
  private final Deque<Seeker> waiting = new ArrayDeque<>();
  private int dialling;
  private boolean closed;

  /** Somebody who needs a connection. One of the methods is called once. */
  interface Seeker {
    void found(HttpConnection connection);

    void notFound(Throwable failure);

    /** Where the bytes of a connection that is opened for it are counted. */
    WireBytes wireBytes();

    /** A connection is being opened for this seeker; cancelling it is up to the seeker. */
    void dialling(Runnable cancel);
  }

  /**
   * @param endpoint whose path is of no importance here
   * @param maxConnections open at once
   * @param timeout for connecting
   */
  HttpConnections(
      Endpoint endpoint,
      @Nullable SslContext tls,
      String serverName,
      EventLoop loop,
      Dialer dialer,
      Duration timeout,
      int maxConnections) {
    this.endpoint = endpoint;
    this.tls = tls;
    this.serverName = serverName;
    this.loop = loop;
    this.dialer = dialer;
    this.timeout = timeout;
    this.maxConnections = maxConnections;
  }

  EventLoop loop() {
    return loop;
  }

  /** Tells the policy of an answer with a redirect, which is not followed. */
  void redirectRefused(String location) {
    dialer.redirectRefused(endpoint, location);
  }

  /** Finds it a connection, at once or later. */
  void seek(Seeker seeker) {
    HttpConnection connection = nextIdle();
    if (connection != null) {
      seeker.found(connection);
    } else if (closed) {
      seeker.notFound(new RejectedExecutionException("the exporter is closed"));
    } else if (open.size() + dialling < maxConnections) {
      dial(seeker);
    } else if (waiting.size() < MAX_WAITING) {
      waiting.addLast(seeker);
    } else {
      seeker.notFound(new RejectedExecutionException("too many attempts wait for a connection"));
    }
  }

  /** The connection used last: the others may grow idle and be closed. */
  private @Nullable HttpConnection nextIdle() {
    HttpConnection connection = idle.pollLast();
    while (connection != null && !connection.isUsable()) {
      connection = idle.pollLast();
    }
    return connection;
  }

  private void dial(Seeker seeker) {
    dialling++;
    HttpDial dial =
        new HttpDial(
            endpoint,
            tls,
            serverName,
            loop,
            dialer,
            timeout,
            seeker.wireBytes(),
            new Dialled(seeker));
    seeker.dialling(
        () -> {
          dial.cancel();
          dialling--;
          serveNext();
        });
    dial.start();
  }

  private final class Dialled implements HttpDial.Result {
    private final Seeker seeker;

    Dialled(Seeker seeker) {
      this.seeker = seeker;
    }

    @Override
    public void connected(SinkChannel channel) {
      dialling--;
      HttpConnection connection = HttpConnection.on(channel, HttpConnections.this);
      open.add(connection);
      seeker.found(connection);
    }

    @Override
    public void failed(Throwable failure) {
      dialling--;
      seeker.notFound(failure);
      serveNext();
    }
  }

  /** Somebody in line gave up. */
  void forget(Seeker seeker) {
    waiting.remove(seeker);
  }

  @Override
  public void reusable(HttpConnection connection) {
    Seeker next = waiting.pollFirst();
    if (next != null) {
      next.found(connection);
    } else if (closed) {
      connection.close();
    } else {
      idle.addLast(connection);
    }
  }

  @Override
  public void closed(HttpConnection connection) {
    open.remove(connection);
    idle.remove(connection);
    serveNext();
  }

  private void serveNext() {
    Seeker next = waiting.pollFirst();
    if (next != null) {
      seek(next);
    }
  }

  void close() {
    closed = true;
    Set.copyOf(open).forEach(HttpConnection::close);
  }
}
