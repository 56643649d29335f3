package io.spillway.exporters;

import io.netty.channel.EventLoop;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.tls.TlsConfigException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What an exporter proves to its sink with: all headers of its own, looked up for each attempt. An
 * attempt whose token is refused is made once more with a new one: the sink has said that it took
 * nothing, and a token that was revoked is no outage. Safe on any thread.
 */
final class Credentials {
  private final SecretHeaders headers;
  private final @Nullable TokenEndpoint endpoint;
  private final @Nullable Tokens tokens;

  /** Makes one attempt with these headers; whoever completes the future ends it. */
  interface Sending {
    void send(Headers headers, Duration timeout, CompletableFuture<Outcome> attempt);
  }

  /**
   * @param reader runs what blocks
   * @param nanos a clock as {@link System#nanoTime}
   * @throws IOException if a file cannot be read
   */
  Credentials(
      OtlpSettings otlp,
      Dialer dialer,
      SinkTls tls,
      EventLoop loop,
      Executor reader,
      String userAgent,
      LongSupplier nanos)
      throws IOException, TlsConfigException {
    AuthConfig auth = otlp.sink().auth();
    this.headers = new SecretHeaders(otlp.id(), otlp.headers(), auth.headers(), reader, nanos);
    OAuthConfig oauth = auth.oauth();
    this.endpoint =
        oauth == null ? null : new TokenEndpoint(oauth, dialer, tls, loop, reader, userAgent);
    this.tokens =
        oauth == null || endpoint == null
            ? null
            : new Tokens(otlp.id(), endpoint::fetch, oauth.expiryBuffer(), nanos);
  }

  /**
   * Makes an attempt as soon as there is something to make it with.
   *
   * @param timeout of all of it
   */
  void attempt(Duration timeout, CompletableFuture<Outcome> attempt, Sending sending) {
    Tokens needed = tokens;
    if (needed == null) {
      sending.send(headers.current(), timeout, attempt);
    } else {
      new TokenAttempt(needed, System.nanoTime() + timeout.toNanos(), attempt, sending)
          .begin(timeout);
    }
  }

  /** An attempt that needs a token. */
  private final class TokenAttempt {
    private final Tokens tokens;
    private final long deadline;
    private final CompletableFuture<Outcome> attempt;
    private final Sending sending;

    TokenAttempt(
        Tokens tokens, long deadline, CompletableFuture<Outcome> attempt, Sending sending) {
      this.tokens = tokens;
      this.deadline = deadline;
      this.attempt = attempt;
      this.sending = sending;
    }

    void begin(Duration timeout) {
      CompletableFuture<Token> token = tokens.get();
      if (!token.isDone()) {
        attempt.completeOnTimeout(
            new Outcome.SinkDown(
                ErrorClass.CONNECT, "no token within " + timeout.toMillis() + " ms"),
            timeout.toNanos(),
            TimeUnit.NANOSECONDS);
      }
      whenThere(token, true);
    }

    private void whenThere(CompletableFuture<Token> token, boolean first) {
      var _ =
          token.whenComplete(
              (there, e) -> {
                if (there != null) {
                  send(there, first);
                } else {
                  attempt.complete(noToken(e));
                }
              });
    }

    private void send(Token token, boolean first) {
      long left = deadline - System.nanoTime();
      if (attempt.isDone() || left <= 0) {
        attempt.complete(
            new Outcome.SinkDown(ErrorClass.CONNECT, "the token came too late for this attempt"));
        return;
      }
      CompletableFuture<Outcome> inner = new CompletableFuture<>();
      var _ = attempt.whenComplete((outcome, e) -> inner.cancel(false));
      var _ =
          inner.whenComplete(
              (outcome, e) -> {
                if (outcome == null) {
                  return; // the attempt was given up
                }
                if (first && isRefusal(outcome) && tokens.refused(token)) {
                  whenThere(tokens.get(), false);
                } else {
                  attempt.complete(outcome);
                }
              });
      sending.send(
          headers.current().with("authorization", "Bearer " + token.value(), token.value()),
          Duration.ofNanos(left),
          inner);
    }
  }

  private static boolean isRefusal(Outcome outcome) {
    return outcome instanceof Outcome.SinkDown(ErrorClass error, String _)
        && error == ErrorClass.AUTH;
  }

  private static Outcome noToken(@Nullable Throwable e) {
    Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
    return cause instanceof TokenException told
        ? told.outcome()
        : new Outcome.SinkDown(ErrorClass.LOCAL, "fetching a token failed: " + cause);
  }

  /** Safe to call twice. */
  void close() {
    if (endpoint != null) {
      endpoint.close();
    }
  }
}
