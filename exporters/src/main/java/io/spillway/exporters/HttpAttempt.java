package io.spillway.exporters;

import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.WireBytes;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One attempt over HTTP, from the wait for a connection to the outcome. Lives on the event loop of
 * its connections; its future may be completed from anywhere, which ends it.
 *
 * <p>A request is sent once. A kept connection that dies before a byte of an answer may only have
 * been closed for idleness, but the sink may as well have taken the request: sending it again is up
 * to whoever counts what was sent twice.
 */
final class HttpAttempt implements HttpConnections.Seeker, HttpConnection.Exchange {
  private final Supplier<FullHttpRequest> messages;
  private final HttpOutcomes outcomes;
  private final ExportRequest request;
  private final CompletableFuture<Outcome> attempt;
  private final HttpConnections place;
  private final Traffic traffic;
  private @Nullable Runnable cancelDial;
  private @Nullable HttpConnection connection;
  private String waitingFor = "a connection";

  HttpAttempt(
      Supplier<FullHttpRequest> messages,
      ExportRequest request,
      HttpOutcomes outcomes,
      CompletableFuture<Outcome> attempt,
      HttpConnections place,
      Traffic traffic) {
    this.messages = messages;
    this.outcomes = outcomes;
    this.request = request;
    this.attempt = attempt;
    this.place = place;
    this.traffic = traffic;
  }

  void begin(Duration timeout) {
    Future<?> clock =
        place.loop().schedule(() -> timedOut(timeout), timeout.toNanos(), TimeUnit.NANOSECONDS);
    var _ =
        attempt.whenComplete(
            (outcome, failure) -> {
              clock.cancel(false);
              if (!place.loop().isShuttingDown()) {
                place.loop().execute(this::free);
              }
            });
    place.loop().execute(this::seek);
  }

  private void seek() {
    if (!attempt.isDone()) {
      place.seek(this);
    }
  }

  private void timedOut(Duration timeout) {
    end(
        new Outcome.Retry(
            null,
            ErrorClass.TIMEOUT,
            "no answer within " + timeout.toMillis() + " ms, waiting for " + waitingFor));
  }

  /** Frees what an attempt holds that was cancelled, timed out or abandoned. */
  private void free() {
    place.forget(this);
    if (cancelDial != null) {
      Runnable cancel = cancelDial;
      cancelDial = null;
      cancel.run();
    }
    if (connection != null) {
      connection.close();
    }
  }

  @Override
  public WireBytes wireBytes() {
    return request.wireBytes();
  }

  @Override
  public void dialling(Runnable cancel) {
    cancelDial = cancel;
  }

  @Override
  public void found(HttpConnection connection) {
    cancelDial = null;
    if (attempt.isDone()) {
      place.reusable(connection);
      return;
    }
    this.connection = connection;
    waitingFor = "an answer";
    connection.send(messages.get(), request.wireBytes(), this);
  }

  @Override
  public void notFound(Throwable failure) {
    cancelDial = null;
    end(Failures.outcome(failure));
  }

  @Override
  public void answered(HttpAnswer answer) {
    connection = null;
    if (answer.isRedirect()) {
      place.redirectRefused(answer.headers().get(HttpHeaderNames.LOCATION, ""));
    }
    end(outcomes.of(answer, request.signal(), request.items()));
  }

  @Override
  public void lost(Throwable failure) {
    connection = null;
    end(lostOutcome(failure));
  }

  private static Outcome lostOutcome(Throwable failure) {
    return failure instanceof NotHttpException
        ? new Outcome.SinkDown(
            ErrorClass.SERVER, SinkWords.clean(String.valueOf(failure.getMessage())))
        : Failures.outcome(failure);
  }

  private void end(Outcome outcome) {
    traffic.ending(request.wireBytes(), false);
    attempt.complete(outcome);
  }
}
