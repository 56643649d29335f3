package io.spillway.tests.bench.relays;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * How the relays of a run did in one scenario.
 *
 * @param samples of each by its name, in the order of the run: the first is Spillway, and those of
 *     the same index were taken one after the other
 * @param bytesPerItem before compression
 */
record Result(Scenario scenario, double bytesPerItem, Map<String, List<Sample>> samples) {

  /** A figure in pairs: Spillway's divided by another's. */
  record Ratio(double median, double least, double most) {}

  /** Items per CPU second against another relay; empty if it did not take part. */
  Optional<Ratio> ratio(String other) {
    List<Sample> theirs = samples.get(other);
    List<Sample> ours = samples.values().iterator().next();
    if (theirs == null) {
      return Optional.empty();
    }
    double[] ratios =
        IntStream.range(0, ours.size())
            .mapToDouble(i -> ours.get(i).itemsPerCpuSecond() / theirs.get(i).itemsPerCpuSecond())
            .sorted()
            .toArray();
    return Optional.of(new Ratio(Sample.median(ratios), ratios[0], ratios[ratios.length - 1]));
  }
}
