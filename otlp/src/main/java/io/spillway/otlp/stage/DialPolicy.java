package io.spillway.otlp.stage;

import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * Says which destinations may be dialled. Asked before a name is resolved and again for every
 * address that is about to be dialled.
 */
public interface DialPolicy {

  /**
   * @param exporter component id, for the audit
   * @param host as configured: a name or a literal address
   * @return why this destination may not be dialled, or null if it may
   */
  @Nullable Denial checkHost(String exporter, String host, int port);

  /**
   * @param host the name that was resolved, as configured
   * @param address the address about to be dialled
   * @return why this address may not be dialled, or null if it may
   */
  @Nullable Denial checkAddress(String exporter, String host, InetAddress address, int port);

  /** A refusal: the rule that refused, in words of the configuration, and the reason. */
  record Denial(String rule, String reason) {}
}
