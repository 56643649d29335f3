package io.spillway.tests.bench.relays;

import io.spillway.tests.bench.Usage;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What one relay did in one stretch of one scenario.
 *
 * @param items acknowledged
 * @param seconds until the last acknowledgement
 * @param cpuSeconds of the relay until all were delivered, or given up
 * @param rssMib at the end, and of it what belongs to no file
 * @param diskBytes written by the relay
 * @param lost of the items that were acknowledged: never arrived
 */
record Sample(
    long items,
    double seconds,
    double cpuSeconds,
    double p50Millis,
    double p99Millis,
    double rssMib,
    double anonymousMib,
    double peakMib,
    long diskBytes,
    long refused,
    long lost) {

  Sample withLost(long count) {
    return new Sample(
        items,
        seconds,
        cpuSeconds,
        p50Millis,
        p99Millis,
        rssMib,
        anonymousMib,
        peakMib,
        diskBytes,
        refused,
        count);
  }

  double itemsPerSecond() {
    return items / seconds;
  }

  /** The clock of the system ticks 100 times a second: less than a tick counts as one. */
  double itemsPerCpuSecond() {
    return items / Math.max(cpuSeconds, 1 / Usage.TICKS_PER_SECOND);
  }

  double cpuPercent() {
    return 100 * cpuSeconds / seconds;
  }

  static double median(List<Sample> samples, ToDoubleFunction<Sample> of) {
    return median(samples.stream().mapToDouble(of).toArray());
  }

  static double median(double[] values) {
    double[] sorted = Arrays.stream(values).sorted().toArray();
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
}
