package io.spillway.config;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One mapping of the configuration, as its component reads it.
 *
 * <p>A getter never throws on a bad value: it records a {@link Problems.Problem} with path, value
 * and expectation and returns the default. A key that no getter asked for is unknown and is
 * reported by {@link Configuration#reportUnknownKeys}, with the nearest key that was asked for. A
 * section that is absent reads as empty.
 */
public final class Section {

  private Section() {}

  /** {@code exporters::otlp_grpc/eu}; empty for the root. */
  public String path() {
    throw new UnsupportedOperationException();
  }

  /** Whether the key is written with a value other than null. Counts as asking for it. */
  public boolean has(String key) {
    throw new UnsupportedOperationException();
  }

  /** The keys as written, in order. Does not count as asking for them. */
  public List<String> keys() {
    throw new UnsupportedOperationException();
  }

  public String string(String key, String fallback) {
    throw new UnsupportedOperationException();
  }

  public @Nullable String optionalString(String key) {
    throw new UnsupportedOperationException();
  }

  /** A string that must be there; a problem and an empty string if it is not. */
  public String requiredString(String key) {
    throw new UnsupportedOperationException();
  }

  public boolean bool(String key, boolean fallback) {
    throw new UnsupportedOperationException();
  }

  public int integer(String key, int fallback, int min, int max) {
    throw new UnsupportedOperationException();
  }

  public double decimal(String key, double fallback, double min, double max) {
    throw new UnsupportedOperationException();
  }

  /** {@code 10s}, {@code 1500ms}, {@code 1h30m}; units ms, s, m, h, d. */
  public Duration duration(String key, Duration fallback, Duration min, Duration max) {
    throw new UnsupportedOperationException();
  }

  /** {@code 64MiB}; units B, KiB, MiB, GiB; a bare number is bytes. */
  public long bytes(String key, long fallback, long min, long max) {
    throw new UnsupportedOperationException();
  }

  /** One of the enum's names in lower case. */
  public <E extends Enum<E>> E choice(String key, Class<E> type, E fallback) {
    throw new UnsupportedOperationException();
  }

  /** A list of scalars; a single scalar is a list of one. */
  public List<String> strings(String key) {
    throw new UnsupportedOperationException();
  }

  public List<Integer> integers(String key, int min, int max) {
    throw new UnsupportedOperationException();
  }

  /** A mapping of scalars; every key in it counts as asked for. */
  public Map<String, String> stringMap(String key) {
    throw new UnsupportedOperationException();
  }

  public Section section(String key) {
    throw new UnsupportedOperationException();
  }

  /** A list of mappings; element paths end in {@code [i]}. */
  public List<Section> sections(String key) {
    throw new UnsupportedOperationException();
  }

  /**
   * A mapping of mappings, in order, such as {@code exporters}; every key in it counts as asked
   * for; a null value is an empty section.
   */
  public Map<String, Section> children(String key) {
    throw new UnsupportedOperationException();
  }

  /**
   * Records a problem of the value at {@code key}, or of the section itself if the key is empty.
   */
  public void problem(String key, String message) {
    throw new UnsupportedOperationException();
  }
}
