package io.spillway.config;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A value of the configuration tree. Immutable; compared by identity where it is a mapping. */
sealed interface Node {

  /** What a person calls this kind of value; never the value of a text, which may be a secret. */
  String kind();

  /**
   * Keys in the order written.
   *
   * @param text the value of the variable that this mapping came from; null if it was written as
   *     one
   */
  record Mapping(Map<String, Node> entries, @Nullable String text) implements Node {
    public Mapping {
      entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
    }

    Mapping(Map<String, Node> entries) {
      this(entries, null);
    }

    static Mapping empty() {
      return new Mapping(Map.of());
    }

    @Override
    public String kind() {
      return "a mapping";
    }
  }

  /**
   * A list.
   *
   * @param text as for {@link Mapping}
   */
  record Sequence(List<Node> elements, @Nullable String text) implements Node {
    public Sequence {
      elements = List.copyOf(elements);
    }

    @Override
    public String kind() {
      return "a list";
    }
  }

  /**
   * A scalar.
   *
   * @param text as written, so that a text read from {@code 0123} is {@code 0123}
   * @param value a String, Boolean or Number; null for null
   */
  record Scalar(String text, @Nullable Object value) implements Node {
    static Scalar ofText(String text) {
      return new Scalar(text, text);
    }

    boolean isNull() {
      return value == null;
    }

    @Override
    public String kind() {
      return switch (value) {
        case null -> "nothing";
        case Boolean b -> "true or false";
        case Number n -> "a number";
        default -> "text";
      };
    }
  }

  /**
   * A value that could not be worked out; the problem is reported already, so getters are quiet.
   */
  record Broken() implements Node {
    @Override
    public String kind() {
      return "an unreadable value";
    }
  }

  /** The value's text if it has one: a scalar as written, or the variable that it came from. */
  static @Nullable String textOf(Node node) {
    return switch (node) {
      case Scalar scalar -> scalar.isNull() ? null : scalar.text();
      case Mapping mapping -> mapping.text();
      case Sequence sequence -> sequence.text();
      case Broken broken -> null;
    };
  }

  static boolean isNull(@Nullable Node node) {
    return node == null || (node instanceof Scalar scalar && scalar.isNull());
  }
}
