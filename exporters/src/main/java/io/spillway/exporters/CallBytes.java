package io.spillway.exporters;

import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;
import io.spillway.otlp.stage.WireBytes;

/** Charges an attempt for the message that its gRPC call frames. */
final class CallBytes extends ClientStreamTracer.Factory {
  private final Traffic traffic;
  private final WireBytes attempt;

  CallBytes(Traffic traffic, WireBytes attempt) {
    this.traffic = traffic;
    this.attempt = attempt;
  }

  @Override
  public ClientStreamTracer newClientStreamTracer(
      ClientStreamTracer.StreamInfo info, Metadata headers) {
    return new ClientStreamTracer() {
      @Override
      public void outboundWireSize(long bytes) {
        traffic.framed(bytes, attempt);
      }
    };
  }
}
