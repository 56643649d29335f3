package io.spillway.buffer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys that blocks are encrypted with, as a file says them:
 *
 * <pre>
 *   # ID:BASE64 of 32 bytes; the first key is written with, all are read with
 *   2026-11:q83v…
 *   2026-05:3q2+…
 * </pre>
 *
 * <p>Keys rotate by putting a new line first; the old one stays until no block needs it. The file
 * is looked at when a key is asked for, at most once a second, and read again when it changed. A
 * file that cannot be used then changes nothing. Safe on any thread.
 */
final class KeyRing {
  private static final Logger log = LoggerFactory.getLogger(KeyRing.class);

  static final int KEY_BYTES = 32;
  static final int MAX_ID_BYTES = 32;
  private static final int MAX_FILE_BYTES = 64 * 1024;
  private static final long LOOK_NANOS = 1_000_000_000L;
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9._-]{1," + MAX_ID_BYTES + "}");
  private static final String EXPECTED =
      " (expected ID:BASE64, an id of 1 to 32 letters, digits, '.', '_' or '-', and 32 bytes in"
          + " Base64). Make a key with: openssl rand -base64 32";

  private final Path file;
  private final LongSupplier nanoTime;
  private Map<String, Key> keys;
  private Version version;
  private long lookAtNanos;

  /** One key. */
  record Key(String id, SecretKey secret) {
    /** Without the secret. */
    @Override
    public String toString() {
      return "Key[" + id + "]";
    }
  }

  private record Version(Object time, long size, @Nullable Object inode) {
    static Version of(Path file) throws IOException {
      BasicFileAttributes a = Files.readAttributes(file, BasicFileAttributes.class);
      return new Version(a.lastModifiedTime(), a.size(), a.fileKey());
    }
  }

  private KeyRing(Path file, Map<String, Key> keys, Version version, LongSupplier nanoTime) {
    this.file = file;
    this.keys = keys;
    this.version = version;
    this.nanoTime = nanoTime;
    this.lookAtNanos = nanoTime.getAsLong() + LOOK_NANOS;
  }

  /**
   * Reads a key file.
   *
   * @throws IOException if it cannot be used; the message can be shown to anybody
   */
  static KeyRing open(Path file, LongSupplier nanoTime) throws IOException {
    Map<String, Key> keys = read(file);
    warnIfReadable(file);
    return new KeyRing(file, keys, Version.of(file), nanoTime);
  }

  /** The key to write with. */
  synchronized Key first() {
    look();
    return keys.values().iterator().next();
  }

  /** The key of this id; null if the file does not hold it. */
  synchronized @Nullable Key find(String id) {
    look();
    return keys.get(id);
  }

  @Override
  public String toString() {
    return String.valueOf(file);
  }

  private void look() {
    long now = nanoTime.getAsLong();
    if (now - lookAtNanos < 0) {
      return;
    }
    lookAtNanos = now + LOOK_NANOS;
    try {
      Version found = Version.of(file);
      if (found.equals(version)) {
        return;
      }
      version = found;
      keys = read(file);
      log.info("buffer: read {} keys from {}; writing with {}", keys.size(), file, firstId());
    } catch (IOException e) {
      log.error("{}. Going on with the keys as they were.", e.getMessage());
    }
  }

  private String firstId() {
    return keys.keySet().iterator().next();
  }

  /** Checks a key file and keeps nothing of it. */
  static void check(Path file) throws IOException {
    var _ = read(file);
  }

  private static Map<String, Key> read(Path file) throws IOException {
    List<String> lines;
    try {
      if (Files.size(file) > MAX_FILE_BYTES) {
        throw new KeyFileException(
            file + ": larger than " + MAX_FILE_BYTES + " bytes; this is no key file");
      }
      lines = Files.readAllLines(file, StandardCharsets.ISO_8859_1);
    } catch (KeyFileException e) {
      throw e;
    } catch (IOException e) {
      throw new KeyFileException(
          file
              + ": cannot be read ("
              + e.getClass().getSimpleName()
              + "). Check the path and its owner");
    }
    Map<String, Key> keys = new LinkedHashMap<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (!line.isEmpty() && !line.startsWith("#")) {
        Key key = parse(file, i + 1, line);
        if (keys.put(key.id, key) != null) {
          throw new KeyFileException(
              file + ", line " + (i + 1) + ": key \"" + key.id + "\" is there twice. Remove one");
        }
      }
    }
    if (keys.isEmpty()) {
      throw new KeyFileException(file + ": holds no key" + EXPECTED);
    }
    return keys;
  }

  private static Key parse(Path file, int number, String line) throws KeyFileException {
    int colon = line.indexOf(':');
    String id = colon < 0 ? "" : line.substring(0, colon);
    if (!ID.matcher(id).matches()) {
      throw new KeyFileException(file + ", line " + number + ": no key id" + EXPECTED);
    }
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(line.substring(colon + 1).strip());
    } catch (IllegalArgumentException e) {
      throw new KeyFileException(
          file + ", line " + number + ": key \"" + id + "\" is not Base64" + EXPECTED);
    }
    if (bytes.length != KEY_BYTES) {
      throw new KeyFileException(
          file
              + ", line "
              + number
              + ": key \""
              + id
              + "\" has "
              + bytes.length
              + " bytes"
              + EXPECTED);
    }
    return new Key(id, new SecretKeySpec(bytes, "AES"));
  }

  private static void warnIfReadable(Path file) throws IOException {
    try {
      if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
        log.warn(
            "buffer::encryption::key_file: {} can be read by everybody on this machine (expected"
                + " mode 0400 or 0440). Run: chmod o-r {}",
            file,
            file);
      }
    } catch (UnsupportedOperationException e) {
      log.debug("{}: this file system has no permissions", Objects.requireNonNull(file));
    }
  }
}
