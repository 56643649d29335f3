package io.spillway.routing.policy;

import java.net.IDN;
import java.net.InetAddress;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A host in its one form: lower case, no trailing dot, IDN in ASCII, IPv6 without brackets, an IPv4
 * address inside IPv6 as IPv4. What could be read in two ways is refused: numbers that some
 * resolvers take for addresses ({@code 0x7f.1}, {@code 010.0.0.1}, {@code 2130706433}), user
 * information, zones.
 *
 * @param text the name, or the address as text
 * @param address null if it is a name
 */
record HostName(String text, @Nullable InetAddress address) {
  private static final int MAX_LENGTH = 253;
  private static final Pattern NAME =
      Pattern.compile("[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*");
  private static final Pattern DOTTED_DECIMAL =
      Pattern.compile("(0|[1-9][0-9]{0,2})(\\.(0|[1-9][0-9]{0,2})){3}");
  private static final Pattern ENDS_IN_NUMBER =
      Pattern.compile("(.*\\.)?([0-9]+|0[xX][0-9a-fA-F]*)");

  /**
   * @throws IllegalArgumentException if {@code host} is not a host; the message says why and does
   *     not repeat it, since it may hold a password
   */
  static HostName parse(String host) {
    if (host.indexOf('@') >= 0) {
      throw new IllegalArgumentException("a host with user information (expected a host alone)");
    }
    String bare = host.startsWith("[") && host.endsWith("]") ? inBrackets(host) : host;
    if (bare.indexOf(':') >= 0) {
      return of(ipv6(bare));
    }
    String name = ascii(bare.endsWith(".") ? bare.substring(0, bare.length() - 1) : bare);
    if (DOTTED_DECIMAL.matcher(name).matches()) {
      return of(literal(name));
    }
    if (ENDS_IN_NUMBER.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "a number that is not a dotted decimal address (expected one such as 192.0.2.1)");
    }
    if (name.length() > MAX_LENGTH || !NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("not a host (expected a name or an address)");
    }
    return new HostName(name, null);
  }

  /** Whether it is loopback without being resolved: an address, or {@code localhost}. */
  boolean isLoopback() {
    return address == null ? text.equals("localhost") : Addresses.isLoopback(address);
  }

  private static HostName of(InetAddress address) {
    InetAddress plain = Addresses.unwrap(address);
    return new HostName(plain.getHostAddress(), plain);
  }

  private static String inBrackets(String host) {
    String bare = host.substring(1, host.length() - 1);
    if (bare.indexOf(':') < 0) {
      throw new IllegalArgumentException("brackets around what is not IPv6 (expected none)");
    }
    return bare;
  }

  private static InetAddress ipv6(String text) {
    if (text.indexOf('%') >= 0) {
      throw new IllegalArgumentException("an IPv6 address with a zone (expected none)");
    }
    return literal(text);
  }

  private static InetAddress literal(String text) {
    try {
      return InetAddress.ofLiteral(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("not an IP address (expected one such as 192.0.2.1)", e);
    }
  }

  /** Also maps full-width letters, digits and dots, so that they cannot hide an address. */
  static String ascii(String name) {
    if (name.chars().allMatch(c -> c < 128)) {
      return name.toLowerCase(Locale.ROOT);
    }
    try {
      return IDN.toASCII(name, IDN.USE_STD3_ASCII_RULES).toLowerCase(Locale.ROOT);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("not a name that IDNA allows (expected one)", e);
    }
  }
}
