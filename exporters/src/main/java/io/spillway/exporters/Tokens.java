package io.spillway.exporters;

import io.spillway.otlp.LogLimiter;
import io.spillway.otlp.stage.ErrorClass;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The token of one exporter: fetched by the first who needs it, for all who wait, replaced before
 * it expires while it is still in use. Safe on any thread; never blocks.
 */
final class Tokens {
  private static final Logger log = LoggerFactory.getLogger(Tokens.class);

  /** After a failure the token endpoint is left alone for this long. */
  static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** A sink that refuses every token must not become a flood at the token endpoint. */
  static final long BETWEEN_FORCED_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final String exporter;
  private final Supplier<CompletableFuture<Token>> fetch;
  private final long bufferNanos;
  private final LongSupplier nanos;
  private final LogLimiter complaints;

  private @Nullable Token token;
  private long refreshAt;
  private long expiresAt;
  private @Nullable CompletableFuture<Token> fetching;
  private TokenException failure = new TokenException(ErrorClass.CONNECT, "no token yet");
  private long fetchFrom;
  private long forceFrom;

  /**
   * @param fetch fetches a token, or fails with a {@link TokenException}
   * @param nanos a clock as {@link System#nanoTime}
   */
  Tokens(
      String exporter,
      Supplier<CompletableFuture<Token>> fetch,
      Duration expiryBuffer,
      LongSupplier nanos) {
    this.exporter = exporter;
    this.fetch = fetch;
    this.bufferNanos = expiryBuffer.toNanos();
    this.nanos = nanos;
    long now = nanos.getAsLong();
    this.fetchFrom = now;
    this.forceFrom = now;
    this.complaints = new LogLimiter(nanos);
  }

  /** The token, at once if there is a good one; or fails with a {@link TokenException}. */
  CompletableFuture<Token> get() {
    CompletableFuture<Token> begun;
    synchronized (this) {
      long now = nanos.getAsLong();
      Token good = token != null && now - expiresAt < 0 ? token : null;
      boolean due = good == null || now - refreshAt >= 0;
      boolean begin = due && fetching == null && now - fetchFrom >= 0;
      if (!begin) {
        if (good != null) {
          return CompletableFuture.completedFuture(good);
        }
        return fetching == null ? CompletableFuture.failedFuture(failure) : fetching.copy();
      }
      begun = new CompletableFuture<>();
      fetching = begun;
      var _ = fetch.get().whenComplete((fetched, e) -> fetched(begun, fetched, e));
      return good != null ? CompletableFuture.completedFuture(good) : begun.copy();
    }
  }

  private void fetched(
      CompletableFuture<Token> begun, @Nullable Token fetched, @Nullable Throwable e) {
    TokenException why = e == null ? null : telling(e);
    synchronized (this) {
      long now = nanos.getAsLong();
      fetching = null;
      if (fetched != null) {
        token = fetched;
        expiresAt = now + fetched.lifetimeNanos();
        refreshAt = expiresAt - Math.min(bufferNanos, fetched.lifetimeNanos() / 2);
      } else if (why != null) {
        failure = why;
        fetchFrom = now + PAUSE_NANOS;
        complain(why, now);
      }
    }
    if (fetched != null) {
      begun.complete(fetched);
    } else {
      begun.completeExceptionally(
          why == null ? new TokenException(ErrorClass.CONNECT, "no token yet") : why);
    }
  }

  private static TokenException telling(Throwable e) {
    Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
    return cause instanceof TokenException told
        ? told
        : new TokenException(ErrorClass.LOCAL, "fetching a token failed: " + cause);
  }

  /**
   * Attempts that fail for want of a token say so themselves; this is for while one still holds.
   */
  private void complain(TokenException why, long now) {
    if (token != null && now - expiresAt < 0) {
      complaints.log(
          suppressed ->
              log.warn(
                  "exporter {}: the token is not renewed: {}. It is used for another {} s; Spillway"
                      + " keeps asking. ({} more like this)",
                  exporter,
                  why.getMessage(),
                  TimeUnit.NANOSECONDS.toSeconds(expiresAt - now),
                  suppressed));
    }
  }

  /**
   * Takes back a token that the sink refused.
   *
   * @return whether to ask for another one and try again
   */
  synchronized boolean refused(Token refused) {
    if (token == null || !token.value().equals(refused.value())) {
      return true; // somebody else was refused too, and a new one is there or on the way
    }
    long now = nanos.getAsLong();
    if (now - forceFrom < 0) {
      return false;
    }
    forceFrom = now + BETWEEN_FORCED_NANOS;
    fetchFrom = now;
    token = null;
    return true;
  }
}
