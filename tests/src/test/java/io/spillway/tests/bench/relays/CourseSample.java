package io.spillway.tests.bench.relays;

import org.jspecify.annotations.Nullable;

/**
 * How one relay got through one {@link Course}.
 *
 * @param acknowledged items, each of them sent once, or again because it was not acknowledged
 * @param refused attempts of the generator that were not acknowledged
 * @param lost of the acknowledged items: never arrived
 * @param duplicates arrivals of items that had arrived before
 * @param cpuSeconds of the relay over the whole course
 * @param diskBytes written by the relay over the whole course
 * @param peakMib the most memory it had resident
 * @param outageP99Millis of acknowledgements of requests that were due in the outage
 * @param drainP99Millis of those that were due after it, until the load ended
 * @param firstSeconds from the end of the outage to the first arrival; null if nothing arrived
 * @param drainSeconds from the end of the outage to the last arrival of what had been acknowledged
 *     before its end; null if nothing of that arrived
 */
record CourseSample(
    long acknowledged,
    long refused,
    long lost,
    long duplicates,
    double cpuSeconds,
    long diskBytes,
    double peakMib,
    double outageP99Millis,
    double drainP99Millis,
    @Nullable Double firstSeconds,
    @Nullable Double drainSeconds) {

  double cpuMicrosPerItem() {
    return 1e6 * cpuSeconds / Math.max(1, acknowledged);
  }
}
