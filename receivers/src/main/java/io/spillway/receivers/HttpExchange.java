package io.spillway.receivers;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.util.ReferenceCountUtil;
import io.spillway.otlp.stage.Answer;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP request from its head to its answer, whatever version of HTTP carries it.
 *
 * <pre>
 *   start ──export──▶ BODY ──end──▶ GATE ──answer──▶ ENDED
 *     └──refused──▶ DISCARD ──end or enough──────────▶ ENDED
 * </pre>
 *
 * <p>A refused sender may be in the middle of its body and not look at the answer before it is
 * through. So a short rest is read first (DISCARD); when there is more, the carrier is told to
 * answer while the body is still coming.
 *
 * <p>Used by the event loop of the carrier; only {@link Export#answer} is called by other threads.
 */
final class HttpExchange {
  /** Rest of a refused body that is read before the answer. */
  static final int MAX_DISCARDED_BYTES = 256 << 10;

  private final HttpServer server;
  private final HttpCarrier carrier;
  private final HttpFraming framing;

  private State state = State.BODY;
  private long discardedBytes;
  private boolean entered;
  private @Nullable String origin;
  private @Nullable Export export;
  private @Nullable FullHttpResponse refusal;

  HttpExchange(HttpServer server, HttpCarrier carrier, HttpFraming framing) {
    this.server = server;
    this.carrier = carrier;
    this.framing = framing;
  }

  private enum State {
    BODY,
    DISCARD,
    GATE,
    ENDED
  }

  /** Takes the head, once and before anything else. */
  void start(HttpRequest request) {
    HttpPaths paths = server.service().paths();
    OriginPolicy policy = server.origins();
    origin = request.headers().get(HttpHeaderNames.ORIGIN);
    if (policy != null
        && OriginPolicy.isPreflight(request)
        && paths.signal(request.uri()) != null) {
      refuse(policy.preflight(request));
      return;
    }
    switch (server.access().read(request, paths)) {
      case HttpHead.Refused refused -> {
        if (refused.signal() != null) {
          Exchange exchange = server.intake().begin(refused.signal(), Transport.HTTP);
          exchange.settle(new Answer.Invalid(refused.reason()));
        }
        refuse(refused.response());
      }
      case HttpHead.Accepted accepted -> begin(accepted, request);
    }
  }

  /** Whether the exchange waits for more of the body. */
  boolean takesBody() {
    return state == State.BODY || state == State.DISCARD;
  }

  /**
   * Takes a part of the body, which stays the caller's.
   *
   * @param last whether the body ends with it
   */
  void take(ByteBuf content, boolean last) {
    if (state == State.BODY && export != null) {
      takeBody(export, content, last);
    } else if (state == State.DISCARD && refusal != null) {
      discard(refusal, content.readableBytes(), last);
    }
  }

  /** The body cannot be read any further. */
  void damaged(String reason) {
    Export current = export;
    if (state == State.DISCARD && refusal != null) {
      respond(refusal, false);
    } else if (current != null) {
      Answer answer = new Answer.Invalid(reason);
      if (current.exchange.settle(answer)) {
        respond(current.reply(answer), false);
      }
    }
  }

  /** The sender went away. An export that reached the gate is still answered to the listener. */
  void abandon() {
    if (!takesBody()) {
      return;
    }
    state = State.ENDED;
    carrier.deadline().disarm();
    if (export != null) {
      export.exchange.abandon();
    }
    end();
  }

  /** The answer was sent, or nobody is there to take it. */
  private void end() {
    if (entered) {
      entered = false;
      server.exit();
    }
  }

  private void begin(HttpHead.Accepted head, HttpRequest request) {
    Exchange exchange = server.intake().begin(head.signal(), Transport.HTTP);
    try {
      server.intake().identify(exchange, carrier.connection(), request.headers()::getAll);
    } catch (SenderException e) {
      refuse(head, exchange, new Answer.Invalid(e.reason()));
      return;
    }
    if (framing.contentLength() > server.maxRequestBytes()) {
      refuse(head, exchange, tooLarge("of " + framing.contentLength() + " bytes"));
      return;
    }
    if (!server.enter()) {
      refuse(head, exchange, HttpServer.STOPPING);
      return;
    }
    entered = true;
    export = new Export(head, exchange);
    carrier.deadline().arm(server.timeouts().body(), this::bodyLate);
    if (framing.expectsContinue()) {
      carrier.askForBody();
    }
  }

  private void takeBody(Export current, ByteBuf content, boolean last) {
    int length = content.readableBytes();
    switch (current.body.append(content)) {
      case TAKEN -> {
        if (last) {
          state = State.GATE;
          carrier.deadline().disarm();
          current.submit();
        }
      }
      case TOO_LARGE -> refuseWithin(current, tooLarge("body"), length, last);
      case NO_ROOM -> refuseWithin(current, server.intake().noRoom(), length, last);
    }
  }

  /** The part that made us refuse may be the last one. */
  private void refuseWithin(Export current, Answer answer, int length, boolean last) {
    refuse(current.head, current.exchange, answer);
    if (state == State.DISCARD && refusal != null) {
      discard(refusal, length, last);
    }
  }

  private Answer tooLarge(String what) {
    return new Answer.TooLarge(
        0,
        "request "
            + what
            + " exceeds the limit of "
            + server.maxRequestBytes()
            + " bytes. Send smaller batches, or raise max_request_body_size.");
  }

  private void refuse(HttpHead.Accepted head, Exchange exchange, Answer answer) {
    exchange.settle(answer);
    refuse(HttpReply.of(answer, head.signal(), head.json()));
  }

  private void refuse(FullHttpResponse response) {
    if (framing.expectsContinue() || framing.contentLength() > MAX_DISCARDED_BYTES) {
      respond(response, false);
      return;
    }
    state = State.DISCARD;
    refusal = response;
    carrier.deadline().arm(server.timeouts().body(), () -> respond(response, false));
  }

  private void discard(FullHttpResponse response, int length, boolean last) {
    discardedBytes += length;
    if (discardedBytes > MAX_DISCARDED_BYTES) {
      respond(response, false);
    } else if (last) {
      respond(response, true);
    }
  }

  /** 503, because a sender drops its data on 408. */
  private void bodyLate() {
    Export late = export;
    Answer answer =
        new Answer.Unavailable(
            0,
            Intake.FAILURE_RETRY_AFTER,
            "the body was not complete within " + server.timeouts().body().toSeconds() + " s");
    if (late != null && late.exchange.settle(answer)) {
      respond(late.reply(answer), false);
    }
  }

  private void respond(FullHttpResponse response, boolean bodyRead) {
    state = State.ENDED;
    refusal = null;
    carrier.deadline().disarm();
    OriginPolicy policy = server.origins();
    if (policy != null) {
      policy.addTo(response, origin);
    }
    carrier.answer(response, bodyRead, this::end);
  }

  /** An export whose body is being read or that waits for its answer. */
  private final class Export implements Intake.Reply {
    private final HttpHead.Accepted head;
    private final Exchange exchange;
    private final HttpBody body;

    Export(HttpHead.Accepted head, Exchange exchange) {
      this.head = head;
      this.exchange = exchange;
      this.body = new HttpBody(exchange, framing.contentLength(), server.maxRequestBytes());
    }

    FullHttpResponse reply(Answer answer) {
      return HttpReply.of(answer, head.signal(), head.json());
    }

    void submit() {
      server
          .intake()
          .take(
              exchange,
              head.encoding(),
              head.json(),
              body.handOver(),
              server.maxRequestBytes(),
              this);
    }

    @Override
    public void answer(Answer answer) {
      if (!exchange.settle(answer)) {
        return;
      }
      FullHttpResponse response = reply(answer);
      if (carrier.executor().inEventLoop()) {
        respond(response, true);
        return;
      }
      try {
        carrier.executor().execute(() -> respond(response, true));
      } catch (RejectedExecutionException e) {
        // The receiver was closed at its deadline, and the connection with it.
        ReferenceCountUtil.release(response);
      }
    }

    @Override
    public void undecodable(Answer.Invalid answer) {
      answer(answer);
    }
  }
}
