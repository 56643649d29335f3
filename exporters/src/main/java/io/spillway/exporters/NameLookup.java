package io.spillway.exporters;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/** Finds the addresses of a name. May block; safe on any thread. */
interface NameLookup {
  /** What the JDK finds, which remembers answers for {@code networkaddress.cache.ttl}. */
  NameLookup SYSTEM = host -> List.of(InetAddress.getAllByName(host));

  /**
   * @param host a name or a literal address
   * @return at least one address, the preferred first
   */
  List<InetAddress> addresses(String host) throws UnknownHostException;
}
