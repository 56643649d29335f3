package io.spillway.buffer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How segments are called: number N is N seconds after 1970, as Chronicle writes it, and ends in
 * {@link SegmentFiles#SUFFIX} or {@link SegmentFiles#EARLIER}.
 */
final class SegmentNames {
  private static final Logger log = LoggerFactory.getLogger(SegmentNames.class);
  private static final DateTimeFormatter NAME = DateTimeFormatter.ofPattern(SizeRollCycle.FORMAT);

  private SegmentNames() {}

  /** Without the suffix. */
  static String of(int number) {
    return LocalDateTime.ofEpochSecond(number, 0, ZoneOffset.UTC).format(NAME);
  }

  /** The file of a segment as it is called now; it may be gone. */
  static Path find(Path directory, int number) {
    Path earlier = directory.resolve(of(number) + SegmentFiles.EARLIER);
    return Files.exists(earlier) ? earlier : directory.resolve(of(number) + SegmentFiles.SUFFIX);
  }

  /** The numbers of all segments in a directory. */
  static NavigableSet<Integer> in(Path directory) throws IOException {
    NavigableSet<Integer> all = in(directory, SegmentFiles.SUFFIX);
    all.addAll(in(directory, SegmentFiles.EARLIER));
    return all;
  }

  static NavigableSet<Integer> in(Path directory, String suffix) throws IOException {
    NavigableSet<Integer> numbers = new TreeSet<>();
    List<String> names;
    try (Stream<Path> files = Files.list(directory)) {
      names = files.map(f -> String.valueOf(f.getFileName())).toList();
    }
    for (String name : names) {
      if (name.endsWith("R" + suffix)) {
        try {
          String date = name.substring(0, name.length() - suffix.length());
          numbers.add((int) LocalDateTime.parse(date, NAME).toEpochSecond(ZoneOffset.UTC));
        } catch (DateTimeException e) {
          log.warn("buffer: {}: not a segment of Spillway's; left alone", directory.resolve(name));
        }
      }
    }
    return numbers;
  }
}
