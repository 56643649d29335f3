package io.spillway.routing.policy;

import java.net.InetAddress;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A range of addresses: {@code 10.0.0.0/8}, {@code fd00::/8}. */
final class Network {
  private static final Pattern CIDR = Pattern.compile("([0-9a-fA-F.:]+)/([0-9]{1,3})");

  private final String text;
  private final byte[] base;
  private final int prefix;

  private Network(String text, byte[] base, int prefix) {
    this.text = text;
    this.base = base;
    this.prefix = prefix;
  }

  /**
   * @throws IllegalArgumentException if {@code cidr} is not an address without host bits, a slash
   *     and a prefix length; the message says why
   */
  static Network parse(String cidr) {
    Matcher matcher = CIDR.matcher(cidr);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("not a network (expected one such as 10.0.0.0/8)");
    }
    byte[] base = InetAddress.ofLiteral(matcher.group(1)).getAddress();
    int prefix = Integer.parseInt(matcher.group(2));
    if (prefix > base.length * Byte.SIZE) {
      throw new IllegalArgumentException(
          "prefix " + prefix + " is too long (expected at most " + base.length * Byte.SIZE + ")");
    }
    for (int bit = prefix; bit < base.length * Byte.SIZE; bit++) {
      if ((base[bit / Byte.SIZE] & 0x80 >> bit % Byte.SIZE) != 0) {
        throw new IllegalArgumentException(
            "bits are set behind the prefix (expected the first address of the network)");
      }
    }
    return new Network(cidr, base, prefix);
  }

  /** Whether an address of the same family lies in the network. */
  boolean contains(InetAddress address) {
    byte[] bytes = address.getAddress();
    if (bytes.length != base.length) {
      return false;
    }
    int whole = prefix / Byte.SIZE;
    for (int i = 0; i < whole; i++) {
      if (bytes[i] != base[i]) {
        return false;
      }
    }
    int rest = prefix % Byte.SIZE;
    return rest == 0 || ((bytes[whole] ^ base[whole]) & 0xff00 >> rest & 0xff) == 0;
  }

  @Override
  public String toString() {
    return text;
  }
}
