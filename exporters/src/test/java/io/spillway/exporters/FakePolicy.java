package io.spillway.exporters;

import io.spillway.otlp.stage.DialPolicy;
import java.net.InetAddress;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A policy that allows everything until told otherwise, and notes what it was asked. */
final class FakePolicy implements DialPolicy {
  final List<InetAddress> addresses = new CopyOnWriteArrayList<>();
  final List<String> redirects = new CopyOnWriteArrayList<>();
  final Set<String> deniedHosts = ConcurrentHashMap.newKeySet();
  final Set<String> deniedAddresses = ConcurrentHashMap.newKeySet();
  volatile boolean denyHosts;
  volatile boolean denyAddresses;

  /** Allows this many addresses, then none. */
  volatile int allowAddresses = Integer.MAX_VALUE;

  @Override
  public @Nullable Denial checkHost(Target target) {
    return denyHosts || deniedHosts.contains(target.host())
        ? new Denial("egress::allow", target.host() + " is not listed")
        : null;
  }

  @Override
  public @Nullable Denial checkDial(Target target, InetAddress address) {
    return checkAddress(target, address);
  }

  @Override
  public void redirectRefused(Target target, String location) {
    redirects.add(location);
  }

  @Override
  public @Nullable Denial checkAddress(Target target, InetAddress address) {
    addresses.add(address);
    boolean denied =
        denyAddresses
            || addresses.size() > allowAddresses
            || deniedAddresses.contains(address.getHostAddress());
    return denied
        ? new Denial("egress::deny_networks", address.getHostAddress() + " is denied")
        : null;
  }
}
