package io.spillway.relay.load;

import io.spillway.otlp.stage.DialPolicy;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * Allows everything: the person at the command line named the destination. Never used by a running
 * relay.
 */
public final class AnyDestination implements DialPolicy {

  @Override
  public @Nullable Denial checkHost(Target target) {
    return null;
  }

  @Override
  public @Nullable Denial checkAddress(Target target, InetAddress address) {
    return null;
  }

  @Override
  public @Nullable Denial checkDial(Target target, InetAddress address) {
    return null;
  }

  @Override
  public void redirectRefused(Target target, String location) {
    // Nothing to say: the outcome names the redirect.
  }
}
