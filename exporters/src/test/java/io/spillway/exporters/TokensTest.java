package io.spillway.exporters;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.stage.ErrorClass;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The life of a token, on a clock that stands still unless told. */
final class TokensTest {
  private static final Duration HOUR = Duration.ofHours(1);

  private final Deque<CompletableFuture<Token>> fetches = new ArrayDeque<>();
  private int fetched;
  private long now = -5;

  private final Tokens tokens =
      new Tokens(
          "otlp_http",
          () -> {
            fetched++;
            CompletableFuture<Token> fetch = new CompletableFuture<>();
            fetches.add(fetch);
            return fetch;
          },
          Duration.ofMinutes(5),
          () -> now);

  private void advance(Duration time) {
    now += time.toNanos();
  }

  private void give(String value, Duration lifetime) {
    fetches.remove().complete(new Token(value, lifetime.toNanos()));
  }

  private void refuse() {
    fetches.remove().completeExceptionally(new TokenException(ErrorClass.AUTH, "no"));
  }

  private String value() {
    CompletableFuture<Token> token = tokens.get();
    return token.isCompletedExceptionally() ? "failed" : token.isDone() ? token.join().value() : "";
  }

  @Test
  void get_manyAtOnce_fetchOnce() {
    List<CompletableFuture<Token>> waiting =
        IntStream.range(0, 10).mapToObj(i -> tokens.get()).toList();
    waiting.getFirst().cancel(false); // one who gives up takes nothing from the others

    give("a", HOUR);

    assertThat(fetched).isEqualTo(1);
    assertThat(waiting.subList(1, 10)).allSatisfy(w -> assertThat(w.join().value()).isEqualTo("a"));
    assertThat(value()).isEqualTo("a");
  }

  @Test
  void get_soonExpired_usesItWhileTheNextIsFetched() {
    tokens.get();
    give("a", HOUR);

    advance(Duration.ofMinutes(55));
    assertThat(value()).isEqualTo("a");
    assertThat(value()).isEqualTo("a");
    assertThat(fetched).isEqualTo(2);
    give("b", HOUR);

    assertThat(value()).isEqualTo("b");
  }

  @Test
  void get_renewalFails_keepsTheOldOneUntilItExpires() {
    tokens.get();
    give("a", HOUR);
    advance(Duration.ofMinutes(56));
    assertThat(value()).isEqualTo("a");
    refuse();

    assertThat(value()).isEqualTo("a"); // and the endpoint is left alone for a second
    assertThat(fetched).isEqualTo(2);
    advance(Duration.ofMinutes(4));
    CompletableFuture<Token> waits = tokens.get();
    assertThat(fetched).isEqualTo(3);
    refuse();

    assertThat(waits).isCompletedExceptionally();
    assertThat(value()).isEqualTo("failed");
    assertThat(fetched).isEqualTo(3);
  }

  @Test
  void get_lifetimeBelowTheBuffer_isUsedForHalfOfIt() {
    tokens.get();
    give("a", Duration.ofMinutes(2));

    advance(Duration.ofSeconds(59));
    assertThat(value()).isEqualTo("a");
    assertThat(fetched).isEqualTo(1);
    advance(Duration.ofSeconds(1));
    assertThat(value()).isEqualTo("a");
    assertThat(fetched).isEqualTo(2);
  }

  @Test
  void refused_once_isReplaced_butNotAgainAndAgain() {
    CompletableFuture<Token> first = tokens.get();
    give("a", HOUR);
    Token a = first.join();

    assertThat(tokens.refused(a)).isTrue();
    CompletableFuture<Token> second = tokens.get();
    assertThat(second).isNotDone();
    give("b", HOUR);

    assertThat(tokens.refused(a)).isTrue(); // a late refusal of the old one
    assertThat(value()).isEqualTo("b");
    assertThat(tokens.refused(second.join())).isFalse();
    assertThat(fetched).isEqualTo(2);

    advance(Duration.ofSeconds(10));
    assertThat(tokens.refused(second.join())).isTrue();
  }
}
