package io.spillway.exporters;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Names that move as a test says; what it says nothing of is looked up for real. */
final class FakeNames implements NameLookup {
  final AtomicInteger lookups = new AtomicInteger();
  private final Map<String, List<InetAddress>> names = new ConcurrentHashMap<>();

  /** Lets a name have these addresses; none for one that cannot be resolved. */
  void set(String host, String... literals) {
    names.put(host, Arrays.stream(literals).map(FakeNames::literal).toList());
  }

  private static InetAddress literal(String text) {
    return InetAddress.ofLiteral(text);
  }

  @Override
  public List<InetAddress> addresses(String host) throws UnknownHostException {
    lookups.incrementAndGet();
    List<InetAddress> known = names.get(host);
    if (known == null) {
      return SYSTEM.addresses(host);
    }
    if (known.isEmpty()) {
      throw new UnknownHostException(host);
    }
    return known;
  }
}
