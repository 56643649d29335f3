package io.spillway.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Puts environment variables into scalars: {@code ${env:X}}, {@code ${env:X:-default}} (the default
 * stands in for a variable that is not set; one that is set and empty is empty), {@code $$} for a
 * dollar sign.
 *
 * <p>A scalar that is one substitution and nothing else takes the type that its value has as YAML,
 * as in the Collector; within a longer text it is plain text. What was put in is not searched
 * again.
 */
final class Variables {
  private static final String FORMS =
      "(expected ${env:NAME} or ${env:NAME:-default}; write $$ for a dollar sign)";
  private static final Pattern TOKEN = Pattern.compile("\\$\\$|\\$\\{[^}]*}?");
  private static final Pattern VARIABLE =
      Pattern.compile("\\$\\{env:([A-Za-z_][A-Za-z0-9_.]*)(?::-([^}]*))?}");

  private final Map<String, String> environment;
  private final Problems problems;

  Variables(Map<String, String> environment, Problems problems) {
    this.environment = environment;
    this.problems = problems;
  }

  Node.Mapping replace(String path, Node.Mapping mapping) {
    Map<String, Node> entries = new LinkedHashMap<>();
    mapping
        .entries()
        .forEach((key, value) -> entries.put(key, replace(Paths.child(path, key), value)));
    return new Node.Mapping(entries);
  }

  private Node replace(String path, Node node) {
    return switch (node) {
      case Node.Mapping mapping -> replace(path, mapping);
      case Node.Sequence sequence -> replace(path, sequence);
      case Node.Scalar scalar when scalar.value() instanceof String text -> replace(path, text);
      case Node.Scalar scalar -> scalar;
      case Node.Broken broken -> broken;
    };
  }

  private Node replace(String path, Node.Sequence sequence) {
    List<Node> elements = new ArrayList<>();
    for (Node element : sequence.elements()) {
      elements.add(replace(Paths.element(path, elements.size()), element));
    }
    return new Node.Sequence(elements, null);
  }

  private Node replace(String path, String text) {
    if (text.indexOf('$') < 0) {
      return Node.Scalar.ofText(text);
    }
    Matcher tokens = TOKEN.matcher(text);
    StringBuilder replaced = new StringBuilder();
    while (tokens.find()) {
      String value = value(path, tokens.group());
      if (value == null) {
        return new Node.Broken();
      }
      tokens.appendReplacement(replaced, Matcher.quoteReplacement(value));
    }
    tokens.appendTail(replaced);
    return VARIABLE.matcher(text).matches()
        ? typed(replaced.toString())
        : Node.Scalar.ofText(replaced.toString());
  }

  private @Nullable String value(String path, String token) {
    if (token.equals("$$")) {
      return "$";
    }
    Matcher variable = VARIABLE.matcher(token);
    if (!variable.matches()) {
      problems.add(path, token + " is not a substitution " + FORMS);
      return null;
    }
    String fallback = variable.group(2);
    if (fallback != null && fallback.contains("${")) {
      problems.add(path, token + " nests substitutions " + FORMS);
      return null;
    }
    String value = environment.getOrDefault(variable.group(1), fallback);
    if (value == null) {
      problems.add(
          path,
          "environment variable "
              + variable.group(1)
              + " is not set (expected it to be set, or a default as in ${env:"
              + variable.group(1)
              + ":-default})");
    }
    return value;
  }

  /** A value that is not YAML by itself, such as a password {@code @home}, is text. */
  private static Node typed(String value) {
    Problems ignored = new Problems();
    Node node = YamlText.read("", value, ignored);
    if (node == null) {
      return value.isEmpty() ? new Node.Scalar("", null) : Node.Scalar.ofText(value);
    }
    if (!ignored.isEmpty()) {
      return Node.Scalar.ofText(value);
    }
    return switch (node) {
      case Node.Mapping mapping -> new Node.Mapping(mapping.entries(), value);
      case Node.Sequence sequence -> new Node.Sequence(sequence.elements(), value);
      case Node.Scalar scalar ->
          new Node.Scalar(value, scalar.value() instanceof String ? value : scalar.value());
      case Node.Broken broken -> Node.Scalar.ofText(value);
    };
  }
}
