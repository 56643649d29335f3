package io.spillway.receivers;

import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.spillway.otlp.stage.Answer;

/** Reads the heads of requests and refuses those whose sender may not send. */
final class HttpAccess {
  private final Access access;
  private final ReceiverListener listener;

  HttpAccess(Access access, ReceiverListener listener) {
    this.access = access;
    this.listener = listener;
  }

  /** What the head asks for, if its sender may. */
  HttpHead read(HttpRequest request, HttpPaths paths) {
    return switch (access.judge(request.headers().get(HttpHeaderNames.AUTHORIZATION))) {
      case ADMITTED -> HttpHead.read(request, paths);
      case DENIED -> denied(HttpHead.isJson(request));
      case UNKNOWN -> unknown(HttpHead.isJson(request));
    };
  }

  private HttpHead denied(boolean json) {
    listener.turnedAway(Transport.HTTP, TurnedAway.CREDENTIALS);
    FullHttpResponse response =
        HttpReply.refusal(HttpResponseStatus.UNAUTHORIZED, Access.DENIED_REASON, json);
    response.headers().set(HttpHeaderNames.WWW_AUTHENTICATE, access.challenge());
    return new HttpHead.Refused(null, Access.DENIED_REASON, response);
  }

  private HttpHead unknown(boolean json) {
    listener.turnedAway(Transport.HTTP, TurnedAway.CREDENTIALS_UNREADABLE);
    Answer.Unavailable answer =
        new Answer.Unavailable(0, Intake.FAILURE_RETRY_AFTER, Access.UNKNOWN_REASON);
    return new HttpHead.Refused(null, Access.UNKNOWN_REASON, HttpReply.unavailable(answer, json));
  }
}
