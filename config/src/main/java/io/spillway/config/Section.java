package io.spillway.config;

import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One mapping of the configuration, as its component reads it.
 *
 * <p>A getter never throws on a bad value: it records a {@link Problems.Problem} with path, value
 * and expectation and returns the default. A key that no getter asked for is unknown and is
 * reported by {@link Configuration#reportUnknownKeys}, with the nearest key that was asked for. A
 * section that is absent reads as empty.
 *
 * <p>Problems never show the value of a key that {@link Configuration#toYaml} redacts.
 */
public final class Section {
  private static final int MAX_SHOWN = 80;

  private final Node.Mapping mapping;
  private final boolean secret;
  private final Reading reading;
  private final Set<String> asked = new LinkedHashSet<>();
  private String path;

  Section(String path, Node.Mapping mapping, boolean secret, Reading reading) {
    this.path = path;
    this.mapping = mapping;
    this.secret = secret;
    this.reading = reading;
  }

  /** {@code exporters::otlp_grpc/eu}; empty for the root. */
  public String path() {
    return path;
  }

  /**
   * Names this section, an element of a list, by what it calls itself: {@code routes::payments}
   * instead of {@code routes[0]}. Sections below it that were opened before keep their path.
   */
  public Section named(String name) {
    int index = path.lastIndexOf('[');
    path = Paths.child(index < 0 ? path : path.substring(0, index), name);
    return this;
  }

  /** Whether the key is written with a value other than null. Counts as asking for it. */
  public boolean has(String key) {
    return ask(key) != null;
  }

  /** The keys as written, in order. Does not count as asking for them. */
  public List<String> keys() {
    return List.copyOf(mapping.entries().keySet());
  }

  public String string(String key, String fallback) {
    String value = optionalString(key);
    return value == null ? fallback : value;
  }

  public @Nullable String optionalString(String key) {
    Node node = ask(key);
    return node == null ? null : text(key, node);
  }

  /** A string that must be there; a problem and an empty string if it is not. */
  public String requiredString(String key) {
    String value = optionalString(key);
    if (value != null && !value.isEmpty()) {
      return value;
    }
    if (value != null || ask(key) == null) {
      problem(key, "missing (expected text)");
    }
    return "";
  }

  public boolean bool(String key, boolean fallback) {
    Node node = ask(key);
    if (node instanceof Node.Scalar scalar && scalar.value() instanceof Boolean value) {
      return value;
    }
    expected(key, node, "true or false");
    return fallback;
  }

  public int integer(String key, int fallback, int min, int max) {
    Node node = ask(key);
    return node == null ? fallback : integer(key, node, fallback, min, max);
  }

  public double decimal(String key, double fallback, double min, double max) {
    Node node = ask(key);
    if (!(node instanceof Node.Scalar scalar && scalar.value() instanceof Number number)) {
      expected(key, node, "a number");
      return fallback;
    }
    double value = number.doubleValue();
    // Not "value < min || value > max": that would let NaN through.
    if (value >= min && value <= max) {
      return value;
    }
    outOfRange(key, node, plain(min), plain(max));
    return fallback;
  }

  /** {@code 10s}, {@code 1500ms}, {@code 1h30m}; units ms, s, m, h, d. */
  public Duration duration(String key, Duration fallback, Duration min, Duration max) {
    return measure(
        key, fallback, min, max, Durations::parse, Durations::format, Durations.EXPECTED);
  }

  /** {@code 64MiB}; units B, KiB, MiB, GiB; a bare number is bytes. */
  public long bytes(String key, long fallback, long min, long max) {
    return measure(key, fallback, min, max, Sizes::parse, Sizes::format, Sizes.EXPECTED);
  }

  /** One of the enum's names in lower case. */
  public <E extends Enum<E>> E choice(String key, Class<E> type, E fallback) {
    Node node = ask(key);
    if (node == null) {
      return fallback;
    }
    List<String> names =
        Arrays.stream(type.getEnumConstants()).map(e -> e.name().toLowerCase(Locale.ROOT)).toList();
    int index = names.indexOf(Node.textOf(node));
    if (index >= 0) {
      return type.getEnumConstants()[index];
    }
    expected(key, node, String.join(" | ", names));
    return fallback;
  }

  /** A list of scalars; a single scalar is a list of one. */
  public List<String> strings(String key) {
    return list(key, this::text);
  }

  /** A list of texts and mappings; a single one is a list of one. */
  public List<Element> elements(String key) {
    if (ask(key) instanceof Node.Mapping mapping) {
      return List.of(new Mapping(key, child(key, Paths.child(path, key), mapping, isSecret(key))));
    }
    return list(key, (place, element) -> element(key, place, element));
  }

  private @Nullable Element element(String key, String place, Node element) {
    if (element instanceof Node.Mapping mapping) {
      return new Mapping(place, child(place, Paths.child(path, place), mapping, isSecret(key)));
    }
    String text = text(place, element);
    return text == null ? null : new Text(place, text);
  }

  private boolean isSecret(String key) {
    return secret || Secrets.isSensitive(key);
  }

  public List<Integer> integers(String key, int min, int max) {
    return list(
        key,
        (place, element) -> {
          int value = integer(place, element, Integer.MIN_VALUE, min, max);
          return value == Integer.MIN_VALUE ? null : value;
        });
  }

  /** A mapping of scalars; every key in it counts as asked for. */
  public Map<String, String> stringMap(String key) {
    Section section = section(key);
    Map<String, String> values = new LinkedHashMap<>();
    for (String name : section.keys()) {
      String value = section.optionalString(name);
      if (value != null) {
        values.put(name, value);
      } else if (section.ask(name) == null) {
        section.problem(name, "found nothing (expected text)");
      }
    }
    return values;
  }

  public Section section(String key) {
    return child(key, Paths.child(path, key), ask(key), secret || Secrets.isSensitive(key));
  }

  /** A list of mappings; element paths end in {@code [i]}. */
  public List<Section> sections(String key) {
    Node node = ask(key);
    if (!(node instanceof Node.Sequence sequence)) {
      expected(key, node, "a list of mappings");
      return List.of();
    }
    List<Section> sections = new ArrayList<>();
    for (Node element : sequence.elements()) {
      String place = Paths.element(key, sections.size());
      sections.add(
          child(place, Paths.child(path, place), element, secret || Secrets.isSensitive(key)));
    }
    return sections;
  }

  /**
   * A mapping of mappings, in order, such as {@code exporters}; every key in it counts as asked
   * for; a null value is an empty section.
   */
  public Map<String, Section> children(String key) {
    Section section = section(key);
    Map<String, Section> children = new LinkedHashMap<>();
    section.keys().forEach(name -> children.put(name, section.section(name)));
    return children;
  }

  /**
   * Records a problem of the value at {@code key}, or of the section itself if the key is empty.
   */
  public void problem(String key, String message) {
    reading.problems().add(Paths.child(path, key), message);
  }

  /** The keys that were asked for, whether written or not. */
  Set<String> asked() {
    return asked;
  }

  private @Nullable Node ask(String key) {
    asked.add(key);
    Node node = mapping.entries().get(key);
    return Node.isNull(node) ? null : node;
  }

  private Section child(String key, String childPath, @Nullable Node node, boolean isSecret) {
    if (node instanceof Node.Mapping child) {
      return reading.section(childPath, child, isSecret);
    }
    expected(key, node, "a mapping");
    return new Section(childPath, Node.Mapping.empty(), isSecret, reading);
  }

  private @Nullable String text(String key, Node node) {
    String text = Node.textOf(node);
    if (text == null) {
      expected(key, node, "text");
    }
    return text;
  }

  private int integer(String key, Node node, int fallback, int min, int max) {
    if (!(node instanceof Node.Scalar scalar && scalar.value() instanceof Number number)
        || !(number instanceof Integer || number instanceof Long || number instanceof BigInteger)) {
      expected(key, node, "a whole number");
      return fallback;
    }
    BigInteger value = new BigInteger(number.toString());
    if (value.compareTo(BigInteger.valueOf(min)) < 0
        || value.compareTo(BigInteger.valueOf(max)) > 0) {
      outOfRange(key, node, min, max);
      return fallback;
    }
    return value.intValue();
  }

  private <T extends Comparable<T>> T measure(
      String key,
      T fallback,
      T min,
      T max,
      Function<String, Optional<T>> parse,
      Function<T, String> format,
      String expectation) {
    Node node = ask(key);
    if (node == null) {
      return fallback;
    }
    Optional<T> value =
        node instanceof Node.Scalar scalar ? parse.apply(scalar.text()) : Optional.empty();
    if (value.isEmpty()) {
      expected(key, node, expectation);
      return fallback;
    }
    if (value.get().compareTo(min) < 0 || value.get().compareTo(max) > 0) {
      outOfRange(key, node, format.apply(min), format.apply(max));
      return fallback;
    }
    return value.get();
  }

  /** Elements for which {@code read} gives null are left out; it has reported them. */
  private <T> List<T> list(String key, ElementReader<T> read) {
    Node node = ask(key);
    if (node == null) {
      return List.of();
    }
    if (node instanceof Node.Scalar) {
      T value = read.read(key, node);
      return value == null ? List.of() : List.of(value);
    }
    if (!(node instanceof Node.Sequence sequence)) {
      expected(key, node, "a list");
      return List.of();
    }
    List<T> values = new ArrayList<>();
    for (int i = 0; i < sequence.elements().size(); i++) {
      T value = read.read(Paths.element(key, i), sequence.elements().get(i));
      if (value != null) {
        values.add(value);
      }
    }
    return values;
  }

  /** Reports a value of the wrong kind; quiet if there is no value or it was reported before. */
  private void expected(String key, @Nullable Node node, String expectation) {
    if (node != null && !(node instanceof Node.Broken)) {
      problem(key, "found " + shown(key, node) + " (expected " + expectation + ")");
    }
  }

  private void outOfRange(String key, Node node, Object min, Object max) {
    problem(key, shown(key, node) + " is out of range (expected from " + min + " to " + max + ")");
  }

  private String shown(String key, Node node) {
    if (!(node instanceof Node.Scalar scalar) || scalar.isNull()) {
      return node.kind();
    }
    if (secret || Secrets.isSensitive(key)) {
      return Secrets.REDACTED;
    }
    String text = Secrets.withoutUserInfo(scalar.text());
    String cut = text.length() > MAX_SHOWN ? text.substring(0, MAX_SHOWN) + "…" : text;
    return scalar.value() instanceof String ? "\"" + cut + "\"" : cut;
  }

  private static String plain(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }

  /** An element of a list that holds texts and mappings, with its place: {@code exporters[0]}. */
  public sealed interface Element {
    String key();
  }

  /** A text in a list. */
  public record Text(String key, String text) implements Element {}

  /** A mapping in a list. */
  public record Mapping(String key, Section section) implements Element {}

  /** Reads one element of a list. */
  private interface ElementReader<T> {
    @Nullable T read(String key, Node element);
  }
}
