package io.spillway.relay.load;

import io.spillway.otlp.stage.DialPolicy;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * Allows everything: the person at the command line named the destination. Never used by a running
 * relay.
 */
final class AnyDestination implements DialPolicy {

  @Override
  public @Nullable Denial checkHost(String exporter, String host, int port) {
    return null;
  }

  @Override
  public @Nullable Denial checkAddress(
      String exporter, String host, InetAddress address, int port) {
    return null;
  }
}
