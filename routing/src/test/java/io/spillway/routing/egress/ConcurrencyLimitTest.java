package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.stage.ErrorClass;
import java.time.Duration;
import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConcurrencyLimitTest {
  private static final long SERVICE = Duration.ofMillis(50).toNanos();
  private static final int BYTES = 100_000;

  @Test
  void limit_new_startsAboveOneWithinTheMaximum() {
    assertThat(new ConcurrencyLimit(16).limit())
        .isEqualTo(ConcurrencyLimit.INITIAL)
        .isGreaterThan(1);
    assertThat(new ConcurrencyLimit(1).limit()).isEqualTo(1);
  }

  @Test
  void limit_slotsNotUsed_doesNotGrow() {
    ConcurrencyLimit limit = new ConcurrencyLimit(16);
    for (int i = 0; i < 1_000; i++) {
      limit.began(1);
      limit.answered(i * SERVICE, (i + 1) * SERVICE, BYTES);
    }

    assertThat(limit.limit()).isEqualTo(ConcurrencyLimit.INITIAL);
  }

  @Test
  void failed_attemptsThatOverlap_halveItOnce() {
    ConcurrencyLimit limit = grown();
    int before = limit.limit();

    for (int i = 0; i < before; i++) {
      limit.failed(ErrorClass.THROTTLED, 1_000 * SERVICE + i, 1_001 * SERVICE + i);
    }

    assertThat(limit.limit()).isEqualTo(before / 2);
  }

  @Test
  void failed_againAndAgain_leavesOne() {
    ConcurrencyLimit limit = grown();
    for (int i = 0; i < 20; i++) {
      limit.failed(ErrorClass.TIMEOUT, (1_000 + i) * SERVICE + 1, (1_001 + i) * SERVICE);
    }

    assertThat(limit.limit()).isEqualTo(1);
  }

  @Test
  void failed_notBusy_changesNothing() {
    ConcurrencyLimit limit = grown();
    int before = limit.limit();

    limit.failed(ErrorClass.CONNECT, 1_000 * SERVICE, 1_001 * SERVICE);
    limit.failed(ErrorClass.AUTH, 1_001 * SERVICE, 1_002 * SERVICE);

    assertThat(limit.limit()).isEqualTo(before);
  }

  @Test
  void max_lowered_holdsAtOnce() {
    ConcurrencyLimit limit = grown();

    limit.max(3);

    assertThat(limit.limit()).isEqualTo(3);
  }

  /** Large requests take longer; that alone does not make a sink busy. */
  @Test
  void answered_sizesChange_isNotTakenForBusy() {
    Sink sink = new Sink(1_000);
    ConcurrencyLimit limit = new ConcurrencyLimit(32);
    sink.run(limit, 2_000);
    assertThat(limit.limit()).isGreaterThanOrEqualTo(16);

    sink.bytes = 100 * BYTES;
    sink.service = 20 * SERVICE;
    sink.run(limit, 2_000);

    assertThat(limit.limit()).isGreaterThanOrEqualTo(16);
  }

  @ParameterizedTest
  @CsvSource({"1, 64", "2, 64", "8, 64", "20, 64", "100, 16"})
  void simulation_sinkOfSomeCapacity_settlesNearIt(int capacity, int max) {
    Sink sink = new Sink(capacity);
    ConcurrencyLimit limit = new ConcurrencyLimit(max);
    sink.run(limit, 5_000);

    sink.begin();
    sink.run(limit, 5_000);

    int bearable = Math.min(capacity, max);
    assertThat((double) sink.busiest).isLessThanOrEqualTo(Math.min(max, 2.5 * capacity + 3));
    assertThat(sink.mean()).isBetween(0.9 * bearable, 1.6 * capacity + 2);
    assertThat(sink.throughput()).isGreaterThan(0.9 * bearable / SERVICE);
  }

  /** Times that vary by themselves must not be taken for a queue. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void simulation_noisySink_doesNotCollapse(long seed) {
    Sink sink = new Sink(1_000);
    sink.noise = new Random(seed);
    ConcurrencyLimit limit = new ConcurrencyLimit(16);
    sink.run(limit, 2_000);

    sink.begin();
    sink.run(limit, 5_000);

    assertThat(sink.mean()).isGreaterThan(8);
  }

  @Test
  void simulation_sinkLosesCapacityAndRecovers_isFollowed() {
    Sink sink = new Sink(32);
    ConcurrencyLimit limit = new ConcurrencyLimit(64);
    sink.run(limit, 5_000);
    assertThat(limit.limit()).isGreaterThanOrEqualTo(28);

    sink.capacity = 4;
    sink.run(limit, 2_000);
    assertThat(limit.limit()).isLessThanOrEqualTo(10);

    sink.capacity = 32;
    sink.run(limit, 5_000);
    assertThat(limit.limit()).isGreaterThanOrEqualTo(28);
  }

  @Test
  void simulation_sinkBecomesSlowerForGood_isNotStarved() {
    Sink sink = new Sink(32);
    ConcurrencyLimit limit = new ConcurrencyLimit(64);
    sink.run(limit, 5_000);

    sink.service = 10 * SERVICE;
    sink.run(limit, 20_000);

    sink.begin();
    sink.run(limit, 5_000);
    assertThat(sink.mean()).isGreaterThan(25);
  }

  private static ConcurrencyLimit grown() {
    ConcurrencyLimit limit = new ConcurrencyLimit(16);
    for (int i = 0; i < 1_000; i++) {
      limit.began(limit.limit());
      limit.answered(i * SERVICE, (i + 1) * SERVICE, BYTES);
    }
    assertThat(limit.limit()).isGreaterThanOrEqualTo(8);
    return limit;
  }

  /** Serves so many at once, the others wait in it; there is always more to send. */
  private static final class Sink {
    int capacity;
    long service = SERVICE;
    int bytes = BYTES;
    Random noise;
    int busiest;
    private long now;
    private long began;
    private long served;
    private double slotNanos;
    private final PriorityQueue<Long> free = new PriorityQueue<>();
    private final PriorityQueue<long[]> inFlight =
        new PriorityQueue<>((a, b) -> Long.compare(a[1], b[1]));

    Sink(int capacity) {
      this.capacity = capacity;
    }

    void begin() {
      began = now;
      served = 0;
      slotNanos = 0;
      busiest = 0;
    }

    void run(ConcurrencyLimit limit, int attempts) {
      for (int i = 0; i < attempts; i++) {
        while (inFlight.size() < limit.limit()) {
          send(limit);
        }
        long[] next = inFlight.remove();
        slotNanos += (double) (inFlight.size() + 1) * (next[1] - now);
        now = next[1];
        served++;
        limit.answered(next[0], now, bytes);
      }
    }

    private void send(ConcurrencyLimit limit) {
      while (free.size() > capacity) {
        free.remove();
      }
      while (free.size() < capacity) {
        free.add(now);
      }
      long start = Math.max(now, free.remove());
      double factor = noise == null ? 1 : 0.3 + 1.4 * noise.nextDouble();
      long end = start + (long) (service * factor);
      free.add(end);
      inFlight.add(new long[] {now, end});
      busiest = Math.max(busiest, inFlight.size());
      limit.began(inFlight.size());
    }

    double mean() {
      return slotNanos / (now - began);
    }

    double throughput() {
      return (double) served / (now - began);
    }
  }
}
