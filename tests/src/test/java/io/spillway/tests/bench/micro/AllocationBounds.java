package io.spillway.tests.bench.micro;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.openjdk.jmh.results.RunResult;

/**
 * How much an operation of each benchmark may allocate, in bytes, from {@code allocations.tsv}
 * beside this class: what was measured when a line was last changed on purpose.
 */
final class AllocationBounds {
  private static final String FILE = "allocations.tsv";

  /** What a run may be above its line: compilers, JMH and the lane's own threads allocate too. */
  private static final double TOLERANCE = 1.05;

  private static final double TOLERANCE_BYTES = 128;

  private final Map<String, Double> bounds;

  private AllocationBounds(Map<String, Double> bounds) {
    this.bounds = bounds;
  }

  static AllocationBounds load() {
    try (InputStream in =
        Objects.requireNonNull(AllocationBounds.class.getResourceAsStream(FILE), FILE)) {
      Map<String, Double> bounds = new LinkedHashMap<>();
      new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split("\t", -1))
          .forEach(cells -> bounds.put(cells[0], Double.valueOf(cells[1])));
      return new AllocationBounds(bounds);
    } catch (IOException e) {
      throw new UncheckedIOException(FILE, e);
    }
  }

  /**
   * Prints what each run allocates.
   *
   * @throws IllegalStateException if one allocates more than its line allows, if there is no line
   *     for it, or no run for a line
   */
  void check(Collection<RunResult> runs) {
    List<String> wrong = new ArrayList<>();
    Map<String, Double> left = new LinkedHashMap<>(bounds);
    for (RunResult run : runs) {
      String name = MicroBenchmarks.name(run);
      double allocated = MicroBenchmarks.allocated(run);
      Double bound = left.remove(name);
      System.out.printf(
          Locale.ROOT, "%s: %.0f B an operation, %s before%n", name, allocated, bound);
      if (bound == null) {
        wrong.add("%s has no line in %s".formatted(name, FILE));
      } else if (allocated > bound * TOLERANCE + TOLERANCE_BYTES) {
        wrong.add("%s allocates %.0f B, expected %.0f".formatted(name, allocated, bound));
      }
    }
    left.keySet().forEach(name -> wrong.add("nothing ran for the line " + name));
    if (!wrong.isEmpty()) {
      throw new IllegalStateException(String.join("; ", wrong));
    }
  }
}
