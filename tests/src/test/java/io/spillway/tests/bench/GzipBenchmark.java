package io.spillway.tests.bench;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.codec.GzipLibrary;
import io.spillway.relay.load.Telemetry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/**
 * What compressing and decompressing a request of spans costs, as the relay does it, in
 * uncompressed MB per second of processor time: gzip by the JDK, gzip by ISA-L if it is installed,
 * and zstd. One thread; prints a Markdown table.
 */
public final class GzipBenchmark {
  private static final int[] ITEMS = {1, 10, 100, 512, 2560};
  private static final int WARM_UPS = 5;
  private static final int ROUNDS = 7;
  private static final long ROUND_NANOS = 50_000_000;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private GzipBenchmark() {}

  /** Something to measure, once. */
  @FunctionalInterface
  private interface Task {
    /** The length of what was made. */
    int run() throws Exception;
  }

  private record Figure(double megabytesPerSecond, double ratio) {}

  /** A column of the table: one codec in one library. */
  private record Way(String name, List<Figure> compress, List<Figure> decompress) {}

  public static void main(String[] args) throws Exception {
    List<Slice> requests = new ArrayList<>();
    for (int items : ITEMS) {
      requests.add(
          new Telemetry(1, Map.of("service.name", "checkout", "service.version", "1.2.3"))
              .request(Signal.TRACES, 0, items, 1_765_000_000_000_000_000L));
    }
    List<Way> ways = new ArrayList<>();
    // Nothing was loaded so far, so this is the JDK's.
    ways.add(measure("gzip, JDK", Codec.GZIP, requests));
    String library = GzipLibrary.load();
    if (library.startsWith("ISA-L")) {
      ways.add(measure("gzip, ISA-L", Codec.GZIP, requests));
    }
    ways.add(measure("zstd", Codec.ZSTD, requests));
    print(library, requests, ways);
  }

  private static Way measure(String name, Codec codec, List<Slice> requests) throws Exception {
    Way way = new Way(name, new ArrayList<>(), new ArrayList<>());
    try (BlockCompressor compressor = new BlockCompressor()) {
      for (Slice request : requests) {
        int length = request.length();
        way.compress.add(measure(length, () -> compressor.compress(codec, request).length()));
        Slice sent =
            codec == Codec.GZIP ? asSendersDo(request) : compressor.compress(codec, request);
        way.decompress.add(
            measure(length, () -> Decompression.decompress(codec, sent, length).length()));
      }
    }
    return way;
  }

  /** At zlib's default level, as SDKs and Collectors send it. */
  private static Slice asSendersDo(Slice request) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(body)) {
      gzip.write(request.array(), request.offset(), request.length());
    }
    return Slice.of(body.toByteArray());
  }

  private static Figure measure(int length, Task task) throws Exception {
    double ratio = (double) length / task.run();
    for (int i = 0; i < WARM_UPS; i++) {
      round(length, task);
    }
    double[] rounds = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      rounds[i] = round(length, task);
    }
    Arrays.sort(rounds);
    return new Figure(rounds[ROUNDS / 2], ratio);
  }

  private static double round(int length, Task task) throws Exception {
    long start = THREADS.getCurrentThreadCpuTime();
    long bytes = 0;
    long used;
    do {
      if (task.run() == 0) {
        throw new IllegalStateException("nothing was made of " + length + " bytes");
      }
      bytes += length;
      used = THREADS.getCurrentThreadCpuTime() - start;
    } while (used < ROUND_NANOS);
    return bytes * 1e3 / used;
  }

  private static void print(String library, List<Slice> requests, List<Way> ways) {
    System.out.printf("%n## Codecs%n%nUncompressed MB per CPU second; gzip: %s%n%n", library);
    StringBuilder head = new StringBuilder("| spans | bytes |");
    StringBuilder line = new StringBuilder("|---|---|");
    for (Way way : ways) {
      head.append(" %1$s: compress | ratio | decompress |".formatted(way.name));
      line.append("---|---|---|");
    }
    System.out.println(head);
    System.out.println(line);
    for (int i = 0; i < ITEMS.length; i++) {
      StringBuilder row =
          new StringBuilder("| %d | %,d |".formatted(ITEMS[i], requests.get(i).length()));
      for (Way way : ways) {
        row.append(
            " %.0f | %.2f | %.0f |"
                .formatted(
                    way.compress.get(i).megabytesPerSecond,
                    way.compress.get(i).ratio,
                    way.decompress.get(i).megabytesPerSecond));
      }
      System.out.println(row);
    }
  }
}
