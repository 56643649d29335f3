package io.spillway.receivers;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Answer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Watches one call below the gRPC machinery: counts its bytes against the admission while they
 * arrive, and hears how the call ends when gRPC refuses it before the handler sees a message. Used
 * by the call's network thread.
 */
final class GrpcCallTracer extends ServerStreamTracer {
  private static final Context.Key<GrpcCallTracer> CURRENT = Context.key("spillway-call");

  private static final Metadata.Key<String> ENCODING =
      Metadata.Key.of("grpc-encoding", Metadata.ASCII_STRING_MARSHALLER);

  private final Exchange exchange;
  private final @Nullable String unknownEncoding;
  private long bytes;
  private boolean submitted;
  private @Nullable Runnable onNoRoom;

  private GrpcCallTracer(Exchange exchange, @Nullable String unknownEncoding) {
    this.exchange = exchange;
    this.unknownEncoding = unknownEncoding;
  }

  /** The tracer of the call that is being started on this thread. */
  static GrpcCallTracer current() {
    return CURRENT.get();
  }

  Exchange exchange() {
    return exchange;
  }

  /** The encoding that the sender declared, if it is not one of ours; else null. */
  @Nullable String unknownEncoding() {
    return unknownEncoding;
  }

  /**
   * @param action called at most once, when the message being read does not fit the admission
   */
  void onNoRoom(Runnable action) {
    onNoRoom = action;
  }

  @Override
  public Context filterContext(Context context) {
    return context.withValue(CURRENT, this);
  }

  @Override
  public void inboundWireSize(long more) {
    bytes += more;
    exchange.wireBytes(bytes);
    Runnable action = onNoRoom;
    if (action != null && !exchange.reserve(bytes)) {
      onNoRoom = null;
      action.run();
    }
  }

  /** The handler's own answers are known by now, so what is open here was ended by gRPC. */
  @Override
  public void streamClosed(Status status) {
    if (submitted) {
      return;
    }
    switch (status.getCode()) {
      case RESOURCE_EXHAUSTED -> exchange.settle(new Answer.TooLarge(0, reason(status)));
      case UNIMPLEMENTED, INTERNAL -> exchange.settle(new Answer.Invalid(reason(status)));
      default -> exchange.abandon();
    }
  }

  private static String reason(Status status) {
    String description = status.getDescription();
    return "gRPC: " + (description == null ? status.getCode().toString() : description);
  }

  /** The request went to the gate: its answer will come, whatever becomes of the call. */
  void submitted() {
    submitted = true;
  }

  /** Gives each call to a signal's endpoint a tracer. */
  static final class Factory extends ServerStreamTracer.Factory {
    private final Intake intake;
    private final Map<String, Signal> signals = new HashMap<>();

    Factory(Intake intake) {
      this.intake = intake;
      for (Signal signal : Signal.values()) {
        signals.put(GrpcBytes.fullMethodName(signal), signal);
      }
    }

    @Override
    public ServerStreamTracer newServerStreamTracer(String fullMethodName, Metadata headers) {
      Signal signal = signals.get(fullMethodName);
      return signal == null
          ? new ServerStreamTracer() {}
          : new GrpcCallTracer(intake.begin(signal, Transport.GRPC), takeUnknown(headers));
    }

    /**
     * gRPC would refuse the call by itself, without the encodings that it has to name (gRPC
     * compression: {@code grpc-accept-encoding}). So it is not shown one that we do not know, and
     * the handler refuses the call.
     */
    private static @Nullable String takeUnknown(Metadata headers) {
      String encoding = headers.get(ENCODING);
      if (encoding == null || GrpcBytes.isKnown(encoding)) {
        return null;
      }
      headers.discardAll(ENCODING);
      return encoding;
    }
  }
}
