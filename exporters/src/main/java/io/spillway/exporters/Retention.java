package io.spillway.exporters;

import io.spillway.otlp.Signal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Removes old files of one signal, as {@link Rotation} says. Other files are left alone. */
final class Retention {
  private static final Logger log = LoggerFactory.getLogger(Retention.class);

  /** As {@link RequestFiles} names them; times and numbers have their places in the order. */
  private static final Pattern NAME =
      Pattern.compile(
          "(?<signal>[a-z]+)-(?<time>\\d{8}T\\d{6}Z)-(?<number>\\d+)\\.(otlp|jsonl)(\\.gz|\\.zst)?");

  private final Path directory;
  private final Signal signal;
  private final Rotation rotation;

  Retention(Path directory, Signal signal, Rotation rotation) {
    this.directory = directory;
    this.signal = signal;
    this.rotation = rotation;
  }

  /**
   * Removes what is too much or too old. Called before a new file is begun: all that are there are
   * older ones. What cannot be removed stays, and is tried again next time.
   */
  void apply(Instant now) {
    if (!rotation.removes()) {
      return;
    }
    try {
      List<Path> files = files();
      int tooMany = rotation.maxBackups() == 0 ? 0 : files.size() - rotation.maxBackups();
      for (int i = 0; i < files.size(); i++) {
        if (i < tooMany || isTooOld(files.get(i), now)) {
          Files.deleteIfExists(files.get(i));
          log.info("file exporter: removed {}, as its rotation says", files.get(i));
        }
      }
    } catch (IOException e) {
      log.warn(
          "file exporter: old files in {} cannot be removed ({}). They stay; it is tried again with"
              + " the next file.",
          directory,
          e.toString());
    }
  }

  private boolean isTooOld(Path file, Instant now) throws IOException {
    return rotation.maxAge().isPositive()
        && Files.getLastModifiedTime(file).toInstant().isBefore(now.minus(rotation.maxAge()));
  }

  /** Oldest first. */
  private List<Path> files() throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.filter(this::isOurs)
          .sorted(java.util.Comparator.comparing(Retention::rank))
          .toList();
    }
  }

  private boolean isOurs(Path file) {
    var name = NAME.matcher(String.valueOf(file.getFileName()));
    return name.matches()
        && name.group("signal").equals(signal.label())
        && Files.isRegularFile(file);
  }

  /** The name with its number in a fixed width. */
  private static String rank(Path file) {
    var name = NAME.matcher(String.valueOf(file.getFileName()));
    return name.matches()
        ? name.group("time") + "%010d".formatted(Long.parseLong(name.group("number")))
        : "";
  }
}
