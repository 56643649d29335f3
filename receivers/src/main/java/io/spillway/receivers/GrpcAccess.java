package io.spillway.receivers;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

/** Turns calls away whose sender may not send, before a byte of their message is asked for. */
final class GrpcAccess implements ServerInterceptor {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final Access access;
  private final ReceiverListener listener;

  GrpcAccess(Access access, ReceiverListener listener) {
    this.access = access;
    this.listener = listener;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    switch (access.judge(headers.get(AUTHORIZATION))) {
      case ADMITTED -> {
        return next.startCall(call, headers);
      }
      case DENIED -> {
        listener.turnedAway(Transport.GRPC, TurnedAway.CREDENTIALS);
        call.close(Status.UNAUTHENTICATED.withDescription(Access.DENIED_REASON), new Metadata());
      }
      case UNKNOWN -> {
        listener.turnedAway(Transport.GRPC, TurnedAway.CREDENTIALS_UNREADABLE);
        call.close(
            Status.UNAVAILABLE.withDescription(Access.UNKNOWN_REASON),
            GrpcExport.comeBack(
                Status.UNAVAILABLE, Access.UNKNOWN_REASON, Intake.FAILURE_RETRY_AFTER));
      }
    }
    return new ServerCall.Listener<>() {};
  }
}
