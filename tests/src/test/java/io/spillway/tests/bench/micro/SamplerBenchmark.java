package io.spillway.tests.bench.micro;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.wire.TraceSampler;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** A tenth of 512 spans, and those with an error, with their tracestate rewritten. */
@State(Scope.Thread)
public class SamplerBenchmark {
  private static final int ITEMS = 512;
  private static final double PERCENTAGE = 10;

  private final TraceSampler sampler = new TraceSampler(PERCENTAGE, true, null);
  private Slice request = Slice.EMPTY;

  @Setup
  public void make() {
    request = Made.request(Signal.TRACES, ITEMS);
  }

  @Benchmark
  public TraceSampler.Sampled sample(WireBenchmark.Bytes counted) {
    counted.bytes += request.length();
    return sampler.sample(request);
  }
}
