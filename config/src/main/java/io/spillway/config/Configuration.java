package io.spillway.config;

import java.util.ArrayList;
import java.util.List;

/**
 * A configuration that was read, merged and had its variables put in. Belongs to one thread.
 *
 * @see ConfigurationLoader
 */
public final class Configuration {
  private static final int MAX_KEYS_LISTED = 12;

  private final Node.Mapping tree;
  private final Reading reading;
  private final Section root;

  Configuration(Node.Mapping tree, Problems problems) {
    this.tree = tree;
    this.reading = new Reading(problems);
    this.root = reading.section("", tree, false);
  }

  public Section root() {
    return root;
  }

  public Problems problems() {
    return reading.problems();
  }

  /**
   * Reports every key that no component asked for. Call it after all components have read their
   * sections.
   */
  public void reportUnknownKeys() {
    reportUnknownKeys(tree);
  }

  /**
   * The configuration as YAML, merged and with variables put in; secrets stand as {@code
   * [REDACTED]}. Reading it again gives the same configuration but for them.
   */
  public String toYaml() {
    return YamlDump.of(tree);
  }

  private void reportUnknownKeys(Node.Mapping mapping) {
    Section section = reading.opened(mapping);
    if (section == null) {
      return;
    }
    for (var entry : mapping.entries().entrySet()) {
      if (!section.asked().contains(entry.getKey())) {
        section.problem(entry.getKey(), "unknown key" + suggestion(entry.getKey(), section));
      } else {
        reportBelow(entry.getValue());
      }
    }
  }

  private void reportBelow(Node node) {
    switch (node) {
      case Node.Mapping mapping -> reportUnknownKeys(mapping);
      case Node.Sequence sequence -> sequence.elements().forEach(this::reportBelow);
      case Node.Scalar scalar -> {}
      case Node.Broken broken -> {}
    }
  }

  private static String suggestion(String key, Section section) {
    String near = Suggestions.didYouMean(key, section.asked());
    if (!near.isEmpty() || section.asked().isEmpty()) {
      return near;
    }
    List<String> known = new ArrayList<>(section.asked());
    known.sort(null);
    return known.size() > MAX_KEYS_LISTED ? "" : " (expected " + String.join(", ", known) + ")";
  }
}
