package io.spillway.otlp.stage;

import java.net.InetAddress;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Says which destinations may be dialled. One dial asks three times: for the host before its name
 * is resolved, for every address found, and for the one address in the moment it is dialled. What
 * is reached through a proxy is a target of its own, beside the proxy. Safe on any thread; never
 * blocks.
 */
public interface DialPolicy {

  /**
   * Asked before a name is resolved, or handed to a proxy to resolve.
   *
   * @return why this destination may not be dialled, or null if it may
   */
  @Nullable Denial checkHost(Target target);

  /**
   * Asked for an address that the target's name was found to have, also while connections to it are
   * open.
   *
   * @return why this address may not be dialled, or null if it may
   */
  @Nullable Denial checkAddress(Target target, InetAddress address);

  /**
   * Asked in the moment of connecting, once for each connection; the one check that counts as
   * {@code allowed} what it lets through.
   *
   * @return why this address may not be dialled, or null if it may
   */
  @Nullable Denial checkDial(Target target, InetAddress address);

  /**
   * Told of an answer that asked to go elsewhere, which nobody does.
   *
   * @param location as the sink wrote it: anything, of any length
   */
  void redirectRefused(Target target, String location);

  /** A refusal: the rule that refused, in words of the configuration, and the reason. */
  record Denial(String rule, String reason) {}

  /**
   * Who dials, as the configuration describes it.
   *
   * @param exporter component id
   * @param region null if the exporter has none
   * @param plaintextAllowed whether it says {@code dangerously_allow_plaintext: true}
   */
  record Caller(String exporter, @Nullable String region, boolean plaintextAllowed) {}

  /**
   * A destination.
   *
   * @param host as configured: a name or a literal address
   */
  record Target(Caller caller, Scheme scheme, String host, int port) {}

  /** What is spoken at a destination. */
  enum Scheme {
    /** OTLP over TLS, by HTTP or gRPC. */
    HTTPS,
    /** OTLP that everybody on the way can read, by HTTP or gRPC. */
    HTTP,
    /** A CONNECT to a proxy; what goes through it is judged as a target of its own. */
    PROXY;

    /** As rules write it. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
