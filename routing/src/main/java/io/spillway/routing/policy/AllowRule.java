package io.spillway.routing.policy;

import io.spillway.otlp.stage.DialPolicy.Scheme;
import io.spillway.routing.Glob;
import java.net.InetAddress;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One rule that allows destinations.
 *
 * @param name {@code egress::allow[0]}
 * @param host matched against the whole host; {@code *} takes dots too
 * @param literal the address that {@code host} is; null if it is a name or a pattern
 * @param ports empty for any
 * @param schemes empty for any
 * @param regions of the exporter; empty for any
 * @param networks the only addresses that may be dialled, private ones included; empty for all but
 *     private ones
 */
record AllowRule(
    String name,
    Glob host,
    @Nullable InetAddress literal,
    Set<Integer> ports,
    Set<Scheme> schemes,
    Set<String> regions,
    List<Network> networks) {

  public AllowRule {
    ports = Set.copyOf(ports);
    schemes = Set.copyOf(schemes);
    regions = Set.copyOf(regions);
    networks = List.copyOf(networks);
  }

  boolean matches(HostName destination, int port, Scheme scheme) {
    boolean sameHost =
        literal == null ? host.matches(destination.text()) : literal.equals(destination.address());
    return sameHost
        && (ports.isEmpty() || ports.contains(port))
        && (schemes.isEmpty() || schemes.contains(scheme));
  }

  /** The host that the rule speaks of. */
  String about() {
    return literal == null ? host.pattern() : literal.getHostAddress();
  }

  /** What the rule says, without its place in the list: a rule that a reload moves stays itself. */
  String content() {
    return "allow %s %s %s %s %s"
        .formatted(about(), sorted(ports), sorted(schemes), sorted(regions), networks);
  }

  private static <T extends Comparable<T>> List<T> sorted(Set<T> values) {
    return values.stream().sorted().toList();
  }

  boolean takesRegion(@Nullable String region) {
    return regions.isEmpty() || (region != null && regions.contains(region));
  }

  /**
   * Whether this address may be dialled for a destination that matches. A private address may only
   * if the rule names it: by {@code networks}, as the host itself, or as {@code localhost}.
   */
  boolean permits(InetAddress address) {
    if (!networks.isEmpty()) {
      return Addresses.isIn(networks, address);
    }
    if (!Addresses.isPrivate(address)) {
      return true;
    }
    return address.equals(literal)
        || (host.pattern().equals("localhost") && Addresses.isLoopback(address));
  }
}
