package io.spillway.routing.policy;

import io.spillway.config.Section;
import io.spillway.otlp.stage.DialPolicy.Scheme;
import io.spillway.routing.Glob;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The {@code egress} section.
 *
 * @param written false if there is none, so that only loopback is allowed
 */
record EgressConfig(boolean written, Mode mode, List<AllowRule> allow, List<Network> denyNetworks) {
  private static final Pattern HOST_PATTERN = Pattern.compile("[a-z0-9_.*?-]+");
  private static final Pattern ADDRESS_PATTERN = Pattern.compile("[0-9.*?]*[0-9][0-9.*?]*");

  enum Mode {
    ENFORCE,
    SHADOW
  }

  public EgressConfig {
    allow = List.copyOf(allow);
    denyNetworks = List.copyOf(denyNetworks);
  }

  static EgressConfig read(Section root) {
    if (!root.has("egress")) {
      return new EgressConfig(false, Mode.ENFORCE, List.of(), List.of());
    }
    Section egress = root.section("egress");
    List<AllowRule> allow = new ArrayList<>();
    for (Section rule : egress.sections("allow")) {
      allow.add(rule(rule));
    }
    return new EgressConfig(
        true,
        egress.choice("mode", Mode.class, Mode.ENFORCE),
        allow,
        networks(egress, "deny_networks"));
  }

  private static AllowRule rule(Section section) {
    String written = section.requiredString("host");
    Set<Integer> ports = new LinkedHashSet<>(section.integers("ports", 1, 65535));
    Set<Scheme> schemes = schemes(section);
    Set<String> regions = new LinkedHashSet<>(section.strings("regions"));
    List<Network> networks = networks(section, "networks");
    Glob host = new Glob("");
    @Nullable InetAddress literal = null;
    try {
      if (written.indexOf('*') >= 0 || written.indexOf('?') >= 0) {
        host = new Glob(pattern(written));
      } else if (!written.isEmpty()) {
        HostName name = HostName.parse(written);
        host = new Glob(name.text());
        literal = name.address();
      }
    } catch (IllegalArgumentException e) {
      section.problem("host", Objects.toString(e.getMessage()));
    }
    return new AllowRule(section.path(), host, literal, ports, schemes, regions, networks);
  }

  private static Set<Scheme> schemes(Section section) {
    Set<Scheme> schemes = EnumSet.noneOf(Scheme.class);
    List<String> written = section.strings("schemes");
    for (int i = 0; i < written.size(); i++) {
      String label = written.get(i);
      List<Scheme> same =
          Arrays.stream(Scheme.values()).filter(scheme -> scheme.label().equals(label)).toList();
      if (same.isEmpty()) {
        section.problem(
            "schemes[" + i + "]", "found \"" + label + "\" (expected https | http | proxy)");
      }
      schemes.addAll(same);
    }
    return schemes;
  }

  /** Labels without a star are put in ASCII; a label with one must be ASCII. */
  private static String pattern(String written) {
    String bare = written.endsWith(".") ? written.substring(0, written.length() - 1) : written;
    String pattern =
        Arrays.stream(bare.split("\\.", -1))
            .map(label -> label.isEmpty() ? label : HostName.ascii(label))
            .collect(Collectors.joining("."));
    if (ADDRESS_PATTERN.matcher(pattern).matches()) {
      throw new IllegalArgumentException(
          "a pattern of addresses, which also takes names such as 192.0.evil.example (expected"
              + " host: \"*\" with networks: [192.0.2.0/24])");
    }
    if (!HOST_PATTERN.matcher(pattern).matches()) {
      throw new IllegalArgumentException(
          "not a host (expected a name, an address, or a pattern such as *.vendor.example)");
    }
    return pattern;
  }

  private static List<Network> networks(Section section, String key) {
    List<Network> networks = new ArrayList<>();
    List<String> written = section.strings(key);
    for (int i = 0; i < written.size(); i++) {
      try {
        networks.add(Network.parse(written.get(i)));
      } catch (IllegalArgumentException e) {
        section.problem(key + "[" + i + "]", "\"" + written.get(i) + "\": " + e.getMessage());
      }
    }
    return networks;
  }
}
