package io.spillway.tests.bench.micro;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.wire.RequestScanner;
import io.spillway.otlp.wire.RequestSplitter;
import java.util.List;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What is done on the bytes of a request of 512 items: scan, and split in two. */
@State(Scope.Thread)
public class WireBenchmark {
  private static final int ITEMS = 512;

  @Param({"TRACES", "METRICS", "LOGS"})
  public Signal signal = Signal.TRACES;

  private final RequestScanner scanner = new RequestScanner();
  private Slice request = Slice.EMPTY;

  /** Counts the bytes gone over. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Bytes {
    public long bytes;

    @Setup(Level.Iteration)
    public void reset() {
      bytes = 0;
    }
  }

  @Setup
  public void make() {
    request = Made.request(signal, ITEMS);
  }

  @Benchmark
  public int scan(Bytes counted) throws MalformedRequestException {
    scanner.scan(signal, request);
    counted.bytes += request.length();
    return scanner.items();
  }

  @Benchmark
  public List<RequestSplitter.Part> split(Bytes counted) throws PayloadTooLargeException {
    counted.bytes += request.length();
    return RequestSplitter.split(signal, request, request.length() / 2 + 1024);
  }
}
