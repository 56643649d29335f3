package io.spillway.receivers;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.spillway.otlp.Slice;
import io.spillway.otlp.rpc.ExportResponse;
import io.spillway.otlp.rpc.RpcStatus;
import io.spillway.otlp.stage.Answer;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the unary {@code Export} of one signal. The call's network thread reads and submits; the
 * answer is sent by the thread that the gate answers on. The two never send at the same time,
 * because whoever ends the {@link Exchange} is alone in sending.
 */
final class GrpcExport implements ServerCallHandler<WireMessage, byte[]> {
  static final Metadata.Key<byte[]> STATUS_DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private static final Metadata.Key<String> ACCEPT_ENCODING =
      Metadata.Key.of("grpc-accept-encoding", Metadata.ASCII_STRING_MARSHALLER);

  /** One more than a unary call may send, so that a second message is noticed. */
  private static final int MESSAGES_ASKED_FOR = 2;

  private static final Logger LOG = LoggerFactory.getLogger(OtlpReceiver.class);

  private final Intake intake;
  private final int maxRequestBytes;
  private final RepeatedWarning sendFailures = new RepeatedWarning(LOG, System::nanoTime);

  GrpcExport(Intake intake, int maxRequestBytes) {
    this.intake = intake;
    this.maxRequestBytes = maxRequestBytes;
  }

  @Override
  public ServerCall.Listener<WireMessage> startCall(
      ServerCall<WireMessage, byte[]> call, Metadata headers) {
    GrpcCallTracer tracer = GrpcCallTracer.current();
    Call listener = new Call(call, tracer);
    String unknown = tracer.unknownEncoding();
    if (unknown != null) {
      listener.refuseEncoding(unknown);
      return listener;
    }
    try {
      intake.identify(tracer.exchange(), connection(call), new GrpcHeaders(headers));
    } catch (SenderException e) {
      listener.answer(new Answer.Invalid(e.reason()));
      return listener;
    }
    tracer.onNoRoom(() -> listener.answer(intake.noRoom()));
    call.request(MESSAGES_ASKED_FOR);
    return listener;
  }

  /** Trailers that ask the sender to come back (OTLP §OTLP/gRPC Throttling). */
  static Metadata comeBack(Status status, String text, Duration retryAfter) {
    Metadata trailers = new Metadata();
    RpcStatus details = new RpcStatus(status.getCode().value(), text, retryAfter);
    trailers.put(STATUS_DETAILS, details.toProtobuf());
    return trailers;
  }

  private static SenderConnection connection(ServerCall<?, ?> call) {
    return Objects.requireNonNull(call.getAttributes().get(SenderConnection.OF_TRANSPORT));
  }

  private final class Call extends ServerCall.Listener<WireMessage> implements Intake.Reply {
    private final ServerCall<WireMessage, byte[]> call;
    private final GrpcCallTracer tracer;
    private final Exchange exchange;
    private @Nullable WireMessage message;

    Call(ServerCall<WireMessage, byte[]> call, GrpcCallTracer tracer) {
      this.call = call;
      this.tracer = tracer;
      this.exchange = tracer.exchange();
    }

    @Override
    public void onMessage(WireMessage received) {
      if (message == null) {
        message = received;
      } else {
        refuse("more than one request message");
      }
    }

    @Override
    public void onHalfClose() {
      WireMessage received = message;
      message = null;
      if (exchange.isSettled()) {
        return;
      }
      tracer.submitted();
      switch (received) {
        case null -> refuse("no request message");
        case WireMessage.Unreadable unreadable ->
            answer(intake.failed(exchange, unreadable.cause()));
        case WireMessage.Bytes bytes -> take(bytes);
      }
    }

    private void take(WireMessage.Bytes message) {
      Slice body = message.body();
      if (body.length() > maxRequestBytes) {
        answer(
            new Answer.TooLarge(
                0,
                "request of "
                    + body.length()
                    + " bytes exceeds the limit of "
                    + maxRequestBytes
                    + " bytes. Send smaller batches, or raise max_recv_msg_size_mib."));
        return;
      }
      intake.take(exchange, message.encoding(), false, body, maxRequestBytes, this);
    }

    /** gRPC status codes: request cardinality violation. */
    private void refuse(String reason) {
      refuse(reason, new Metadata());
    }

    private void refuseEncoding(String encoding) {
      Metadata trailers = new Metadata();
      trailers.put(ACCEPT_ENCODING, GrpcBytes.ENCODINGS);
      refuse(
          Reasons.shorten(
              "grpc-encoding "
                  + encoding
                  + " is not served (expected one of "
                  + GrpcBytes.ENCODINGS
                  + ")"),
          trailers);
    }

    private void refuse(String reason, Metadata trailers) {
      if (exchange.settle(new Answer.Invalid(reason))) {
        close(Status.UNIMPLEMENTED.withDescription(reason), trailers);
      }
    }

    @Override
    public void answer(Answer answer) {
      if (!exchange.settle(answer)) {
        return;
      }
      switch (answer) {
        case Answer.Accepted accepted ->
            succeed(new ExportResponse(accepted.rejected(), Reasons.shorten(accepted.message())));
        case Answer.Invalid invalid -> fail(Status.INVALID_ARGUMENT, invalid.reason(), null);
        case Answer.NotServed notServed -> fail(Status.UNIMPLEMENTED, notServed.reason(), null);
        case Answer.TooLarge tooLarge -> fail(Status.RESOURCE_EXHAUSTED, tooLarge.reason(), null);
        case Answer.Unavailable unavailable ->
            fail(Status.UNAVAILABLE, unavailable.reason(), unavailable.retryAfter());
      }
    }

    /** gRPC status codes: "could not decompress, but compression algorithm supported". */
    @Override
    public void undecodable(Answer.Invalid answer) {
      if (exchange.settle(answer)) {
        fail(Status.INTERNAL, answer.reason(), null);
      }
    }

    private void succeed(ExportResponse response) {
      send(
          () -> {
            call.sendHeaders(new Metadata());
            call.sendMessage(response.toProtobuf());
            call.close(Status.OK, new Metadata());
          });
    }

    private void fail(Status status, String reason, @Nullable Duration retryAfter) {
      String text = Reasons.shorten(reason);
      close(
          status.withDescription(text),
          retryAfter == null ? new Metadata() : comeBack(status, text, retryAfter));
    }

    private void close(Status status, Metadata trailers) {
      send(() -> call.close(status, trailers));
    }

    /** The gate's thread must not suffer from a call that broke meanwhile. */
    private void send(Runnable sending) {
      if (call.isCancelled()) {
        return;
      }
      try {
        sending.run();
      } catch (RuntimeException e) {
        sendFailures.write(
            "receiver otlp/grpc: an answer could not be sent. Its sender will ask again.", e);
      }
    }
  }
}
