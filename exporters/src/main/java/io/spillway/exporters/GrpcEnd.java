package io.spillway.exporters;

import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;

/**
 * Notes whether a call ended in trailers from the sink. Without it a status of the sink's own looks
 * like one that the library made up for a call that was reset or cannot be read. Of one call.
 */
final class GrpcEnd extends ClientStreamTracer.Factory {
  private volatile boolean complete;

  /** Whether trailers came; known when the call is closed. */
  boolean isComplete() {
    return complete;
  }

  @Override
  public ClientStreamTracer newClientStreamTracer(
      ClientStreamTracer.StreamInfo info, Metadata headers) {
    return new ClientStreamTracer() {
      @Override
      public void inboundTrailers(Metadata trailers) {
        complete = true;
      }
    };
  }
}
