package io.spillway.otlp.fuzz;

import io.spillway.otlp.Slice;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The inputs that a target is checked with in every build: its seeds, and what was found once. */
public final class FuzzInputs {
  private FuzzInputs() {}

  /** An input and where it comes from. */
  private record Named(String name, Slice bytes) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** The seeds of a target and the findings kept for it, of the module that tests run in. */
  private static List<Named> of(FuzzTarget target) throws Exception {
    List<Named> inputs = new ArrayList<>();
    List<byte[]> seeds = target.seeds();
    for (int i = 0; i < seeds.size(); i++) {
      inputs.add(new Named("seed " + i, Slice.of(seeds.get(i))));
    }
    Path kept = findings(Path.of(""), target.getClass());
    if (Files.isDirectory(kept)) {
      try (Stream<Path> files = Files.list(kept)) {
        for (Path file : files.sorted().toList()) {
          inputs.add(new Named(file.getFileName().toString(), Slice.of(Files.readAllBytes(file))));
        }
      }
    }
    return inputs;
  }

  /** Checks a target with all of them. */
  public static void check(FuzzTarget target) throws Exception {
    for (Named input : of(target)) {
      try {
        target.check(input.bytes().toByteArray());
      } catch (Exception | AssertionError e) {
        throw new AssertionError(target.getClass().getSimpleName() + ", " + input, e);
      }
    }
  }

  /** Where findings go, and stay once they are mended: a folder of the module's sources. */
  static Path findings(Path module, Class<? extends FuzzTarget> target) {
    return module.resolve("src/test/resources/fuzz").resolve(target.getSimpleName());
  }

  /** Writes the seeds where Jazzer finds them. */
  static void writeSeeds(FuzzTarget target, Path directory) throws Exception {
    Files.createDirectories(directory);
    List<byte[]> seeds = target.seeds();
    for (int i = 0; i < seeds.size(); i++) {
      Files.write(directory.resolve("seed-" + i), seeds.get(i));
    }
  }
}
