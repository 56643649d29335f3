package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RequestScannerAllocationTest {
  private static final int ROUNDS = 100;

  @Test
  void scan_warmedUp_allocatesNothing() throws MalformedRequestException {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Slice request = request();
    RequestScanner scanner = new RequestScanner();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < ROUNDS && least > 0; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 20; i++) {
        scanner.scan(Signal.METRICS, request);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }

    assertThat(scanner.items()).isGreaterThan(100);
    assertThat(least).isZero();
  }

  private static Slice request() {
    WireGenerator generator = new WireGenerator(new Random(3));
    RequestScanner scanner = new RequestScanner();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    while (out.size() < 100_000) {
      byte[] piece = generator.request(Signal.METRICS);
      try {
        scanner.scan(Signal.METRICS, Slice.of(piece));
        if (scanner.flaw() == null) {
          out.writeBytes(piece);
        }
      } catch (MalformedRequestException e) {
        // Nested too deep: try another one.
      }
    }
    return Slice.of(out.toByteArray());
  }
}
