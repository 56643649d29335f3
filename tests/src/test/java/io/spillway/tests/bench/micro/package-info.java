/**
 * JMH benchmarks of the parts that every byte goes through: one number of time and one of garbage
 * each. {@code MicroBenchmarks} runs them.
 */
@NullMarked
package io.spillway.tests.bench.micro;

import org.jspecify.annotations.NullMarked;
