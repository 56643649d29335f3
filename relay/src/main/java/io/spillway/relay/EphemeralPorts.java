package io.spillway.relay;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The local ports that the kernel gives to outgoing connections. */
final class EphemeralPorts {
  /** Linux: Documentation/networking/ip-sysctl, {@code ip_local_port_range}. */
  static final Path LINUX = Path.of("/proc/sys/net/ipv4/ip_local_port_range");

  private static final Pattern RANGE = Pattern.compile("(\\d{1,5})\\s+(\\d{1,5})\\s*");

  private EphemeralPorts() {}

  /** How many there are, for each destination; empty if the system does not say. */
  static OptionalLong count(Path file) {
    try {
      Matcher range = RANGE.matcher(Files.readString(file));
      return range.matches()
          ? OptionalLong.of(Long.parseLong(range.group(2)) - Long.parseLong(range.group(1)) + 1)
          : OptionalLong.empty();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
