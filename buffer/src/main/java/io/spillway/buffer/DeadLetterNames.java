package io.spillway.buffer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The names of dead letters: {@code 20261123T055210123Z-12-1a2b3c4d.letter}, by the time of
 * refusal, the items and the CRC32C of the file, so that a listing alone says how many items there
 * are.
 */
final class DeadLetterNames {
  static final String DIRECTORY = "dead-letters";
  static final String PART = ".part";
  private static final String SUFFIX = ".letter";
  private static final Pattern ID = Pattern.compile("(\\d{8}T\\d{9}Z)-(\\d{1,10})-[0-9a-f]{8}");
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmssSSS'Z'").withZone(ZoneOffset.UTC);

  private DeadLetterNames() {}

  static String id(Instant when, int items, int crc) {
    return "%s-%d-%08x".formatted(TIME.format(when), items, crc);
  }

  static String fileName(String id) {
    return id + SUFFIX;
  }

  /** The letters in a directory, oldest first; none if there is no such directory. */
  static List<LetterEntry> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(DeadLetterNames::entry)
          .filter(entry -> entry != null)
          .sorted(Comparator.comparing(LetterEntry::id))
          .toList();
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }

  /** Whether this can be the id of a letter; keeps other paths out. */
  static boolean isId(String text) {
    return ID.matcher(text).matches();
  }

  private static @Nullable LetterEntry entry(Path file) {
    String name = String.valueOf(file.getFileName());
    Matcher id = ID.matcher(name.endsWith(SUFFIX) ? name.substring(0, name.length() - 7) : "");
    if (!id.matches()) {
      return null;
    }
    try {
      return new LetterEntry(
          id.group(),
          TIME.parse(id.group(1), Instant::from),
          Long.parseLong(id.group(2)),
          Files.size(file));
    } catch (IOException | DateTimeParseException e) {
      return null; // deleted since it was listed, or not made by Spillway
    }
  }
}
