package io.spillway.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code a.b=c} as the mapping {@code a: {b: c}}. The path is split at dots outside double or
 * single quotes; the value is YAML.
 */
final class Overrides {
  private static final String FORM =
      "(expected path.to.key=value; quote keys that contain dots:"
          + " exporters.\"file/a.b\".directory)";

  private final Problems problems;

  Overrides(Problems problems) {
    this.problems = problems;
  }

  /** {@code base} with the override put in; {@code base} itself if it cannot be. */
  Node.Mapping apply(Node.Mapping base, String override) {
    List<String> keys = new ArrayList<>();
    int valueAt = path(override, keys);
    if (valueAt < 0 || keys.contains("")) {
      problems.add(
          "--set " + (valueAt < 0 ? override : override.substring(0, valueAt - 1)),
          "not an override " + FORM);
      return base;
    }
    String name = "--set " + override.substring(0, valueAt - 1);
    int before = problems.all().size();
    Node value = YamlText.read(name, override.substring(valueAt), problems);
    if (problems.all().size() > before || reachesIntoList(name, base, keys)) {
      return base;
    }
    Node nested = value == null ? new Node.Scalar("", null) : value;
    for (String key : keys.reversed()) {
      nested = new Node.Mapping(Map.of(key, nested));
    }
    return Merge.into(base, (Node.Mapping) nested);
  }

  /** Adds the keys of the path to {@code keys}; where the value starts, or -1. */
  private static int path(String override, List<String> keys) {
    StringBuilder key = new StringBuilder();
    char quote = 0;
    for (int i = 0; i < override.length(); i++) {
      char c = override.charAt(i);
      if (c == quote) {
        quote = 0;
      } else if (quote != 0) {
        key.append(c);
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '.' || c == '=') {
        keys.add(key.toString());
        key.setLength(0);
        if (c == '=') {
          return i + 1;
        }
      } else {
        key.append(c);
      }
    }
    return -1;
  }

  private boolean reachesIntoList(String name, Node.Mapping base, List<String> keys) {
    @Nullable Node node = base;
    for (String key : keys) {
      if (node instanceof Node.Sequence) {
        problems.add(name, "\"" + key + "\" lies inside a list (expected the whole list as value)");
        return true;
      }
      node = node instanceof Node.Mapping mapping ? mapping.entries().get(key) : null;
    }
    return false;
  }
}
