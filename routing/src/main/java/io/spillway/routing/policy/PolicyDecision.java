package io.spillway.routing.policy;

import io.spillway.otlp.stage.DialPolicy.Scheme;
import java.net.InetAddress;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What the policy decided about a destination, for the audit.
 *
 * @param exporter component id
 * @param host in its one form; empty if what was given is not a host
 * @param address the address that was about to be dialled; null if it was not resolved yet
 * @param rule the rule that decided, in words of the configuration
 * @param reason why it was denied; empty if it was allowed
 */
public record PolicyDecision(
    Stage stage,
    Verdict verdict,
    String exporter,
    Scheme scheme,
    String host,
    int port,
    @Nullable InetAddress address,
    String rule,
    String reason) {

  /** When the policy was asked. */
  public enum Stage {
    /** While the configuration was read. */
    CONFIG,
    /** Before a name was resolved. */
    HOST,
    /** When an address was found. */
    ADDRESS,
    /** In the moment of connecting. */
    DIAL,
    /** When an answer asked to go elsewhere. */
    REDIRECT;

    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** How it was decided. */
  public enum Verdict {
    ALLOWED,
    DENIED,
    /** Let through by {@code mode: shadow}, which enforcement would deny. */
    SHADOW_DENIED;

    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
