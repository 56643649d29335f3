package io.spillway.routing.policy;

import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * A denial for the audit.
 *
 * @param exporter component id
 * @param host as configured; empty if it is not a host
 * @param address the address that was about to be dialled; null if it was not resolved yet
 * @param rule the rule that denied it, in words of the configuration
 * @param enforced false in {@code mode: shadow}: it was dialled all the same
 */
public record PolicyDecision(
    Stage stage,
    String exporter,
    String host,
    int port,
    @Nullable InetAddress address,
    String rule,
    String reason,
    boolean enforced) {

  /** When the policy was asked. */
  public enum Stage {
    /** While the configuration was read. */
    CONFIG,
    /** Before a name was resolved. */
    HOST,
    /** Before an address was dialled. */
    ADDRESS
  }
}
