package io.spillway.receivers;

import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.ServerTransportFilter;
import org.jspecify.annotations.Nullable;

/** Gives each gRPC connection its {@link SenderConnection}, once it may send. */
final class GrpcConnections extends ServerTransportFilter {
  private final Intake intake;

  GrpcConnections(Intake intake) {
    this.intake = intake;
  }

  @Override
  public Attributes transportReady(Attributes attributes) {
    return attributes.toBuilder()
        .set(
            SenderConnection.OF_TRANSPORT,
            intake.connected(
                attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR),
                attributes.get(Grpc.TRANSPORT_ATTR_SSL_SESSION)))
        .build();
  }

  /** Also of connections that never were ready. */
  @Override
  public void transportTerminated(@Nullable Attributes attributes) {
    SenderConnection connection =
        attributes == null ? null : attributes.get(SenderConnection.OF_TRANSPORT);
    if (connection != null) {
      connection.close();
    }
  }
}
