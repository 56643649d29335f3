package io.spillway.exporters;

import io.spillway.otlp.stage.DialPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The only way to a socket: resolves names and opens channels, and asks the policy before both.
 *
 * <p>An address is checked twice: when it was resolved, so that an allowed neighbour is dialled
 * instead of a denied one, and by the channel in the moment it connects, so that no path through a
 * library (reconnects, remembered addresses) leads around the policy.
 */
final class Dialer {
  private final DialPolicy.Caller caller;
  private final DialPolicy policy;
  private final Executor resolver;
  private final Traffic traffic;

  /**
   * @param caller the exporter, as the policy knows it
   * @param resolver runs name lookups, which block
   * @param traffic where its sockets count what they carry
   */
  Dialer(DialPolicy.Caller caller, DialPolicy policy, Executor resolver, Traffic traffic) {
    this.caller = caller;
    this.policy = policy;
    this.resolver = resolver;
    this.traffic = traffic;
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
    DialPolicy.Target target = target(endpoint);
    throwIfDenied(policy.checkHost(target));
    List<InetSocketAddress> allowed = new ArrayList<>();
    DialPolicy.Denial denial = null;
    for (InetAddress address : InetAddress.getAllByName(endpoint.host())) {
      DialPolicy.Denial no = policy.checkAddress(target, address);
      if (no == null) {
        allowed.add(new InetSocketAddress(address, endpoint.port()));
      } else {
        denial = no;
      }
    }
    if (allowed.isEmpty()) {
      throwIfDenied(denial);
    }
    return allowed;
  }

  private DialPolicy.Target target(Endpoint endpoint) {
    return endpoint.destination().target(caller);
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

  /** A new channel, not yet connected, that connects to allowed addresses of this endpoint only. */
  SinkChannel channel(Endpoint endpoint) {
    return new SinkChannel(this, endpoint);
  }

  /** Asks once more, in the moment of a dial. */
  void requireAllowed(Endpoint endpoint, InetAddress address) throws PolicyDeniedException {
    throwIfDenied(policy.checkDial(target(endpoint), address));
  }

  /** What the sockets of this exporter carry. */
  Traffic traffic() {
    return traffic;
  }
}
