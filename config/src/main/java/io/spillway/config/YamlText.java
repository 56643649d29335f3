package io.spillway.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.schema.CoreSchema;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLParser;
import tools.jackson.dataformat.yaml.YAMLReadFeature;

/**
 * Reads one YAML 1.2 document (core schema) into nodes.
 *
 * <p>Aliases are refused: a few of them can make a small file a huge tree. Nesting is bounded by
 * the parser (500 levels), the text by {@link #MAX_CHARACTERS}.
 */
final class YamlText {
  static final int MAX_CHARACTERS = 4 << 20;

  private static final YAMLFactory YAML =
      YAMLFactory.builder()
          .disable(YAMLReadFeature.PARSE_OCTAL_NUMBERS)
          .loadSettings(
              LoadSettings.builder()
                  // The parser would stop at the first one; mapping() reports them all.
                  .setAllowDuplicateKeys(true)
                  .setSchema(new CoreSchema())
                  .setCodePointLimit(MAX_CHARACTERS)
                  .build())
          .build();

  private final String name;
  private final YAMLParser parser;
  private final Problems problems;

  private YamlText(String name, YAMLParser parser, Problems problems) {
    this.name = name;
    this.parser = parser;
    this.problems = problems;
  }

  /**
   * The document in {@code yaml}; null if there is none or it is malformed, which is a problem at
   * {@code name:line:column}.
   */
  static @Nullable Node read(String name, String yaml, Problems problems) {
    try (YAMLParser parser = (YAMLParser) YAML.createParser(ObjectReadContext.empty(), yaml)) {
      return new YamlText(name, parser, problems).document();
    } catch (JacksonException e) {
      reportMalformed(name, e, problems);
      return null;
    }
  }

  private @Nullable Node document() {
    JsonToken first = parser.nextToken();
    if (first == null) {
      return null;
    }
    Node node = value(first);
    if (parser.nextToken() != null) {
      problems.add(here(), "a second document starts here (expected one document in a file)");
    }
    return node;
  }

  private Node value(JsonToken token) {
    if (parser.isCurrentAlias()) {
      problems.add(
          here(), "alias *" + parser.getString() + " (expected the value itself, written out)");
      return new Node.Broken();
    }
    return switch (token) {
      case START_OBJECT -> mapping();
      case START_ARRAY -> sequence();
      case VALUE_TRUE -> new Node.Scalar(parser.getString(), true);
      case VALUE_FALSE -> new Node.Scalar(parser.getString(), false);
      case VALUE_NULL -> new Node.Scalar(parser.getString(), null);
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT ->
          new Node.Scalar(parser.getString(), parser.getNumberValue());
      default -> Node.Scalar.ofText(parser.getString());
    };
  }

  private Node mapping() {
    Map<String, Node> entries = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      if (entries.containsKey(key)) {
        problems.add(here(), "duplicate key \"" + key + "\" (expected each key once)");
      }
      Node value = value(parser.nextToken());
      entries.putIfAbsent(key, value);
    }
    return new Node.Mapping(entries);
  }

  private Node sequence() {
    List<Node> elements = new ArrayList<>();
    for (JsonToken token = parser.nextToken();
        token != JsonToken.END_ARRAY;
        token = parser.nextToken()) {
      elements.add(value(token));
    }
    return new Node.Sequence(elements, null);
  }

  private String here() {
    TokenStreamLocation location = parser.currentTokenLocation();
    return at(name, location.getLineNr(), location.getColumnNr());
  }

  private static String at(String name, int line, int column) {
    return name + ":" + line + ":" + column;
  }

  /** The parser's own message quotes lines of the file, which may hold a secret. */
  private static void reportMalformed(String name, JacksonException e, Problems problems) {
    if (e.getCause() instanceof MarkedYamlEngineException marked) {
      String where =
          marked
              .getProblemMark()
              .map(mark -> at(name, mark.getLine() + 1, mark.getColumn() + 1))
              .orElse(name);
      problems.add(where, "malformed YAML: " + marked.getProblem());
      return;
    }
    TokenStreamLocation location = e.getLocation();
    String where = location == null ? name : at(name, location.getLineNr(), location.getColumnNr());
    problems.add(where, "malformed YAML: " + e.getOriginalMessage().lines().findFirst().orElse(""));
  }
}
