package io.spillway.tests.harness;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A host with one wire, and the rest of the world at its other end: there every address answers,
 * and the kernel notes every SYN that arrives. Names are what a file on the host says. Needs root,
 * and {@code ip} and {@code nft}.
 */
public final class FakeInternet implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.shared();

  private final NetNamespace host = new NetNamespace();
  private final NetNamespace world = new NetNamespace();
  private final Path names;

  /**
   * @param directory for the host's file of names
   */
  public FakeInternet(Path directory) throws IOException {
    names = directory.resolve("hosts");
    names(Map.of());
    host.run("mount", "--bind", names.toString(), "/etc/hosts");
    host.run("ip", "link", "add", "wire", "type", "veth", "peer", "far", "netns", world.pid());
    wire(host, "wire", 2);
    wire(world, "far", 1);
    host.run("ip", "route", "add", "default", "via", "192.0.2.1");
    host.run("ip", "-6", "route", "add", "default", "via", "2001:db8:ffff::1");
    world.run("ip", "route", "add", "local", "0.0.0.0/0", "dev", "lo");
    world.run("ip", "-6", "route", "add", "local", "::/0", "dev", "lo");
    note(world, "prerouting", "iifname far");
    note(host, "output", "oifname lo");
  }

  private static void wire(NetNamespace end, String name, int number) {
    end.run("ip", "link", "set", name, "up");
    end.run("ip", "addr", "add", "192.0.2." + number + "/24", "dev", name);
    end.run("ip", "addr", "add", "2001:db8:ffff::" + number + "/64", "dev", name, "nodad");
  }

  private static void note(NetNamespace where, String hook, String which) {
    where.run(
        "nft",
        """
        table inet seen {
          set v4 { type ipv4_addr . inet_service; size 4096; flags dynamic; }
          set v6 { type ipv6_addr . inet_service; size 4096; flags dynamic; }
          chain syn {
            type filter hook %1$s priority -300;
            %2$s tcp flags & (syn | ack) == syn add @v4 { ip daddr . tcp dport }
            %2$s tcp flags & (syn | ack) == syn add @v6 { ip6 daddr . tcp dport }
          }
        }
        """
            .formatted(hook, which));
  }

  /** What the command line of a program on the host starts with. */
  public List<String> launcher() {
    return host.launcher();
  }

  /** Makes the host's names mean these addresses, and no others. */
  public void names(Map<String, ? extends Collection<String>> addresses) throws IOException {
    String lines =
        addresses.entrySet().stream()
            .flatMap(entry -> entry.getValue().stream().map(each -> each + " " + entry.getKey()))
            .collect(Collectors.joining("\n", "127.0.0.1 localhost\n", "\n"));
    Files.writeString(names, lines);
  }

  /** Makes a server of this test answer at a port of every address in the world. */
  public NetNamespace.Door serve(int port, InetSocketAddress server) {
    return world.doorOut(port, server);
  }

  /** Makes a server on the host's loopback reachable for this test, at the same address. */
  public NetNamespace.Door reach(InetSocketAddress address) {
    return host.doorIn(address);
  }

  /**
   * Where SYNs arrived in the world so far: {@code 198.51.100.1:443}, {@code [2001:db8::1]:443}.
   */
  public Set<String> dialled() {
    return seen(world);
  }

  /** Where SYNs went that did not leave the host. */
  public Set<String> dialledOnHost() {
    return seen(host);
  }

  private static Set<String> seen(NetNamespace where) {
    Set<String> seen = new TreeSet<>();
    for (JsonNode each :
        JSON.readTree(where.run("nft", "-j", "list", "ruleset")).path("nftables")) {
      for (JsonNode element : each.path("set").path("elem")) {
        JsonNode pair = element.path("concat");
        String address = pair.path(0).asString();
        seen.add(
            (address.contains(":") ? "[" + address + "]" : address) + ":" + pair.path(1).asInt());
      }
    }
    return seen;
  }

  @Override
  public void close() throws Exception {
    host.close();
    world.close();
  }
}
