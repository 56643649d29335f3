package io.spillway.tests.bench.micro;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.codec.Decompression;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A block of 512 spans through each codec and back. Bytes are those before compression. */
@State(Scope.Thread)
public class CodecBenchmark {
  private static final int ITEMS = 512;

  @Param({"GZIP", "ZSTD"})
  public Codec codec = Codec.GZIP;

  private final BlockCompressor compressor = new BlockCompressor();
  private Slice plain = Slice.EMPTY;
  private Slice compressed = Slice.EMPTY;

  @Setup
  public void make() {
    plain = Made.request(Signal.TRACES, ITEMS);
    compressed = Slice.of(compressor.compress(codec, plain).toByteArray());
  }

  @TearDown
  public void close() {
    compressor.close();
  }

  @Benchmark
  public Slice compress(WireBenchmark.Bytes counted) {
    counted.bytes += plain.length();
    return compressor.compress(codec, plain);
  }

  @Benchmark
  public Slice decompress(WireBenchmark.Bytes counted) throws Exception {
    counted.bytes += plain.length();
    return Decompression.decompress(codec, compressed, plain.length());
  }
}
