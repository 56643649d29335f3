package io.spillway.exporters;

import io.netty.channel.EventLoop;
import io.spillway.otlp.stage.DialPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The only way of an exporter to a socket: resolves names and opens channels, directly or through a
 * proxy, and asks the policy before both.
 *
 * <p>An address is checked twice: when it was resolved, so that an allowed neighbour is dialled
 * instead of a denied one, and by the channel in the moment it connects, so that no path through a
 * library (reconnects, remembered addresses) leads around the policy. What is open is checked again
 * at intervals, with its name looked up anew: see {@link #recheck}.
 *
 * <p>Behind a proxy the sink's host must be allowed as well as the proxy. If its name is known here
 * too, one of its addresses must be allowed; if not, the rules for hosts decide. Safe on any
 * thread.
 */
final class Dialer implements AutoCloseable {
  private final DialPolicy.Caller caller;
  private final DialPolicy policy;
  private final NameLookup lookup;
  private final Executor resolver;
  private final Traffic traffic;
  private final @Nullable ProxyAddress proxy;
  private final Set<SinkChannel> open = ConcurrentHashMap.newKeySet();
  private volatile Runnable moved = () -> {};
  private volatile @Nullable Future<?> clock;
  private volatile boolean closed;

  /**
   * @param caller the exporter, as the policy knows it
   * @param resolver runs name lookups, which block
   * @param traffic where its sockets count what they carry
   * @param proxy null if there is none
   */
  Dialer(
      DialPolicy.Caller caller,
      DialPolicy policy,
      NameLookup lookup,
      Executor resolver,
      Traffic traffic,
      @Nullable ProxyAddress proxy) {
    this.caller = caller;
    this.policy = policy;
    this.lookup = lookup;
    this.resolver = resolver;
    this.traffic = traffic;
    this.proxy = proxy;
  }

  /** Rechecks at intervals from now on, driven by this loop, until it is closed. */
  void recheckEach(long intervalNanos, EventLoop loop) {
    clock =
        loop.scheduleWithFixedDelay(
            this::recheck, intervalNanos, intervalNanos, TimeUnit.NANOSECONDS);
  }

  /**
   * Takes what is to be done when connections are retired: for a library that would keep them.
   * Called on a thread of the resolver.
   */
  void whenMoved(Runnable action) {
    moved = action;
  }

  /**
   * Finds the addresses that may be dialled, at least one, in the resolver's order. One of the two
   * consumers is called, on a thread of the resolver or, if that is overloaded, the caller's.
   */
  void resolve(
      Endpoint endpoint, Consumer<List<InetSocketAddress>> found, Consumer<Exception> failed) {
    try {
      resolver.execute(
          () -> {
            List<InetSocketAddress> addresses;
            try {
              addresses = allowed(endpoint);
            } catch (IOException | RuntimeException e) {
              failed.accept(e);
              return;
            }
            found.accept(addresses);
          });
    } catch (RejectedExecutionException e) {
      failed.accept(new RejectedExecutionException("too many name lookups at once", e));
    }
  }

  private List<InetSocketAddress> allowed(Endpoint endpoint) throws IOException {
    DialPolicy.Target sink = target(endpoint);
    throwIfDenied(policy.checkHost(sink));
    if (proxy == null) {
      return allowed(sink);
    }
    try {
      requireAllAllowed(sink);
    } catch (UnknownHostException e) {
      // The proxy may know names that are unknown here.
    }
    DialPolicy.Target way = proxy.destination().target(caller);
    throwIfDenied(policy.checkHost(way));
    return allowed(way);
  }

  private List<InetSocketAddress> allowed(DialPolicy.Target target) throws IOException {
    List<InetSocketAddress> allowed = new ArrayList<>();
    DialPolicy.Denial denial = null;
    for (InetAddress address : lookup.addresses(target.host())) {
      DialPolicy.Denial no = policy.checkAddress(target, address);
      if (no == null) {
        allowed.add(new InetSocketAddress(address, target.port()));
      } else {
        denial = no;
      }
    }
    throwIfDenied(allowed.isEmpty() ? denial : null);
    if (allowed.isEmpty()) {
      throw new UnknownHostException(target.host());
    }
    return allowed;
  }

  /** The proxy chooses one of the addresses, and not the one that we would. */
  private void requireAllAllowed(DialPolicy.Target target) throws IOException {
    for (InetAddress address : lookup.addresses(target.host())) {
      throwIfDenied(policy.checkAddress(target, address));
    }
  }

  private DialPolicy.Target target(Endpoint endpoint) {
    return endpoint.destination().target(caller);
  }

  /** What a socket connects to on the way to an endpoint. */
  private DialPolicy.Target dialled(Endpoint endpoint) {
    return proxy == null ? target(endpoint) : proxy.destination().target(caller);
  }

  /** Tells the policy of an answer with a redirect, which is not followed. */
  void redirectRefused(Endpoint endpoint, String location) {
    policy.redirectRefused(target(endpoint), location);
  }

  private static void throwIfDenied(DialPolicy.@Nullable Denial denial)
      throws PolicyDeniedException {
    if (denial != null) {
      throw new PolicyDeniedException(denial);
    }
  }

  /**
   * A new channel, not yet connected, that connects to allowed addresses of this endpoint only, or
   * of the proxy on the way to it.
   *
   * @param tunnelTimeout for the proxy's answer, in milliseconds
   */
  SinkChannel channel(Endpoint endpoint, long tunnelTimeout) {
    SinkChannel channel = new SinkChannel(this, endpoint);
    if (proxy != null) {
      channel.pipeline().addLast(new ProxyConnect(proxy, endpoint, tunnelTimeout));
    }
    return channel;
  }

  /** A channel is about to connect: asks the policy once more. */
  void opening(SinkChannel channel, InetAddress address) throws PolicyDeniedException {
    throwIfDenied(policy.checkDial(dialled(channel.endpoint()), address));
    open.add(channel);
  }

  void closed(SinkChannel channel) {
    open.remove(channel);
  }

  /** Where the connections lead that are open, or being opened, one entry each. */
  Stream<InetSocketAddress> openTo() {
    return open.stream().map(SinkChannel::remote);
  }

  /**
   * Looks again at what open connections lead to, on a thread of the resolver. A connection to an
   * address that is denied now, or of a name that has denied addresses only, is cut off. One to an
   * address that its name no longer has finishes what it carries and is closed. A lookup that fails
   * changes nothing.
   */
  void recheck() {
    if (open.isEmpty()) {
      return;
    }
    try {
      resolver.execute(
          () ->
              open.stream()
                  .collect(Collectors.groupingBy(SinkChannel::endpoint))
                  .forEach(this::recheck));
    } catch (RejectedExecutionException e) {
      // Too many lookups at once: the next turn will do.
    }
  }

  private void recheck(Endpoint endpoint, List<SinkChannel> channels) {
    List<InetSocketAddress> now;
    try {
      now = allowed(endpoint);
    } catch (PolicyDeniedException e) {
      channels.forEach(channel -> channel.cutOff(e));
      return;
    } catch (IOException | RuntimeException e) {
      now = List.of();
    }
    boolean retired = false;
    for (SinkChannel channel : channels) {
      DialPolicy.Denial denial =
          policy.checkAddress(dialled(endpoint), channel.remote().getAddress());
      if (denial != null) {
        channel.cutOff(new PolicyDeniedException(denial));
      } else if (!now.isEmpty() && !now.contains(channel.remote())) {
        channel.retire();
        retired = true;
      }
    }
    if (retired) {
      moved.run();
    }
  }

  /**
   * Lets all connections finish what they carry and close; new ones are opened as needed. To be
   * called on a thread of the resolver.
   */
  void renew() {
    open.forEach(SinkChannel::retire);
    moved.run();
  }

  /** What the sockets of this exporter carry. */
  Traffic traffic() {
    return traffic;
  }

  boolean isOf(String exporter) {
    return caller.exporter().equals(exporter);
  }

  /** Whether it is closed and has no connection any more. */
  boolean isForgotten() {
    return closed && open.isEmpty();
  }

  /** Stops rechecking by itself; its connections stay. */
  @Override
  public void close() {
    closed = true;
    Future<?> running = clock;
    if (running != null) {
      running.cancel(false);
    }
  }
}
