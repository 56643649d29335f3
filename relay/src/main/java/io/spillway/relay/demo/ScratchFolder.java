package io.spillway.relay.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A folder for a moment, which commands make and take away again. */
public final class ScratchFolder {

  private ScratchFolder() {}

  /** Deletes a folder and all in it. What somebody else deletes meanwhile is no error. */
  public static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
