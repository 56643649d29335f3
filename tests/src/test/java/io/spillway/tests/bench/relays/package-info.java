/**
 * Measures relays of any make from outside, side by side: {@link
 * io.spillway.tests.bench.relays.RelayBenchmark}.
 */
@NullMarked
package io.spillway.tests.bench.relays;

import org.jspecify.annotations.NullMarked;
