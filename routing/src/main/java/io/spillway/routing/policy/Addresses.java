package io.spillway.routing.policy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Kinds of addresses (IANA special-purpose registries, RFC 6890). */
final class Addresses {
  /**
   * Never a destination, whatever the configuration says. The metadata service lies in the first.
   */
  private static final List<Network> LINK_LOCAL =
      List.of(Network.parse("169.254.0.0/16"), Network.parse("fe80::/10"));

  /**
   * Metadata services: of nearly everybody, AWS over IPv6, Alibaba Cloud, Azure (WireServer),
   * Oracle Cloud (classic).
   */
  private static final List<Network> METADATA =
      List.of(
          Network.parse("169.254.169.254/32"),
          Network.parse("fd00:ec2::254/128"),
          Network.parse("100.100.100.200/32"),
          Network.parse("168.63.129.16/32"),
          Network.parse("192.0.0.192/32"));

  private static final List<Network> MULTICAST =
      List.of(Network.parse("224.0.0.0/4"), Network.parse("ff00::/8"));
  private static final List<Network> UNSPECIFIED =
      List.of(Network.parse("0.0.0.0/8"), Network.parse("::/128"), Network.parse("240.0.0.0/4"));

  private static final List<Network> LOOPBACK =
      List.of(Network.parse("127.0.0.0/8"), Network.parse("::1/128"));

  /**
   * RFC 1918, RFC 6598 (carrier-grade NAT), RFC 4193 (unique local), RFC 3879 (site-local). Also
   * what leads to IPv4 addresses that cannot be seen: RFC 8215 (NAT64 of a site), RFC 4380
   * (Teredo).
   */
  private static final List<Network> PRIVATE =
      List.of(
          Network.parse("10.0.0.0/8"),
          Network.parse("172.16.0.0/12"),
          Network.parse("192.168.0.0/16"),
          Network.parse("100.64.0.0/10"),
          Network.parse("fc00::/7"),
          Network.parse("fec0::/10"),
          Network.parse("64:ff9b:1::/48"),
          Network.parse("2001::/32"));

  private static final Network COMPATIBLE = Network.parse("::/96");
  private static final Network TRANSLATED = Network.parse("::ffff:0:0:0/96");
  private static final Network NAT64 = Network.parse("64:ff9b::/96");
  private static final Network SIX_TO_FOUR = Network.parse("2002::/16");

  private Addresses() {}

  /**
   * The IPv4 address inside a mapped ({@code ::ffff:0:0/96}), translated ({@code ::ffff:0:0:0/96}),
   * compatible ({@code ::/96}), NAT64 ({@code 64:ff9b::/96}) or 6to4 ({@code 2002::/16}) address;
   * any other address itself.
   */
  static InetAddress unwrap(InetAddress address) {
    byte[] bytes = address.getAddress();
    if (bytes.length == 4) {
      return address;
    }
    if (SIX_TO_FOUR.contains(address)) {
      return ipv4(bytes, 2);
    }
    boolean mapped = isZero(bytes, 10) && bytes[10] == -1 && bytes[11] == -1;
    boolean compatible =
        COMPATIBLE.contains(address) && !isIn(LOOPBACK, address) && !isZero(bytes, bytes.length);
    return mapped || compatible || TRANSLATED.contains(address) || NAT64.contains(address)
        ? ipv4(bytes, 12)
        : address;
  }

  /** What makes an address one that is never dialled; null if nothing does. */
  static @Nullable String forbiddenKind(InetAddress address) {
    if (isIn(METADATA, address)) {
      return "metadata service";
    }
    if (isIn(LINK_LOCAL, address)) {
      return "link-local";
    }
    if (isIn(MULTICAST, address)) {
      return "multicast";
    }
    return isIn(UNSPECIFIED, address) ? "unspecified" : null;
  }

  static boolean isLoopback(InetAddress address) {
    return isIn(LOOPBACK, address);
  }

  /** Whether an address lies inside somebody's network: private or loopback. */
  static boolean isPrivate(InetAddress address) {
    return isIn(PRIVATE, address) || isLoopback(address);
  }

  static boolean isIn(List<Network> networks, InetAddress address) {
    return networks.stream().anyMatch(network -> network.contains(address));
  }

  private static boolean isZero(byte[] bytes, int length) {
    for (int i = 0; i < length; i++) {
      if (bytes[i] != 0) {
        return false;
      }
    }
    return true;
  }

  private static InetAddress ipv4(byte[] bytes, int at) {
    try {
      return InetAddress.getByAddress(Arrays.copyOfRange(bytes, at, at + 4));
    } catch (UnknownHostException e) {
      throw new AssertionError("4 bytes are an address", e);
    }
  }
}
