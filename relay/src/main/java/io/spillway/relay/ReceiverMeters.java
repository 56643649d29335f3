package io.spillway.relay;

import io.spillway.receivers.OtlpReceiver;
import io.spillway.receivers.OtlpReceiverConfig;
import io.spillway.receivers.Transport;
import io.spillway.relay.telemetry.Meter;
import io.spillway.relay.telemetry.Meters;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/** Registers what the listeners of the receiver have to show. */
final class ReceiverMeters {
  private final Meters meters;
  private final OtlpReceiver receiver;
  private final InstantSource clock;

  ReceiverMeters(Meters meters, OtlpReceiver receiver, InstantSource clock) {
    this.meters = meters;
    this.receiver = receiver;
    this.clock = clock;
  }

  /** To be called once, after the receiver was started. */
  void register(OtlpReceiverConfig config) {
    if (config.grpc() != null) {
      register(Transport.GRPC);
    }
    if (config.http() != null) {
      register(Transport.HTTP);
    }
  }

  private void register(Transport transport) {
    meters.receiver(Meter.RECEIVER_CONNECTIONS, transport, receiver, r -> r.connections(transport));
    meters.receiver(
        Meter.RECEIVER_FILES_UNUSABLE,
        transport,
        receiver,
        r -> r.hasUnusableFiles(transport) ? 1 : 0);
    if (receiver.certificateExpires(transport) != null) {
      meters.receiver(
          Meter.RECEIVER_CERTIFICATE_EXPIRY,
          transport,
          receiver,
          r -> secondsUntil(r.certificateExpires(transport)));
    }
  }

  private double secondsUntil(@Nullable Instant at) {
    return at == null ? Double.NaN : Duration.between(clock.instant(), at).toSeconds();
  }
}
