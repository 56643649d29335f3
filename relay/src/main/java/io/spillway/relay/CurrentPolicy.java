package io.spillway.relay;

import io.spillway.otlp.stage.DialPolicy;
import io.spillway.routing.policy.EgressPolicy;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * The egress policy in force: every dial asks the newest one, also by an exporter that was made
 * before a reload.
 */
final class CurrentPolicy implements DialPolicy {

  private volatile EgressPolicy policy;

  CurrentPolicy(EgressPolicy policy) {
    this.policy = policy;
  }

  void set(EgressPolicy next) {
    policy = next;
  }

  @Override
  public @Nullable Denial checkHost(String exporter, String host, int port) {
    return policy.checkHost(exporter, host, port);
  }

  @Override
  public @Nullable Denial checkAddress(
      String exporter, String host, InetAddress address, int port) {
    return policy.checkAddress(exporter, host, address, port);
  }
}
