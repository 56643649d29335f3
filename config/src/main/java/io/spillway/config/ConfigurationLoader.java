package io.spillway.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Reads configuration files. Never throws on what it reads: everything wrong is in {@link
 * Configuration#problems}.
 */
public final class ConfigurationLoader {
  private ConfigurationLoader() {}

  /**
   * Reads files and overrides, later ones over earlier ones (mappings merge, lists are replaced),
   * then puts variables in.
   *
   * @param overrides {@code a.b=c} with a YAML value; dots within quotes belong to the key
   * @param environment where {@code ${env:X}} looks
   */
  public static Configuration load(
      List<Path> files, List<String> overrides, Map<String, String> environment) {
    Problems problems = new Problems();
    Node.Mapping tree = Node.Mapping.empty();
    for (Path file : files) {
      tree = Merge.into(tree, read(file, problems));
    }
    Overrides override = new Overrides(problems);
    for (String text : overrides) {
      tree = override.apply(tree, text);
    }
    return finish(tree, environment, problems);
  }

  /**
   * Reads a text.
   *
   * @param name stands for the file name in problems
   */
  public static Configuration parse(String name, String yaml, Map<String, String> environment) {
    Problems problems = new Problems();
    return finish(mapping(name, yaml, problems), environment, problems);
  }

  private static Configuration finish(
      Node.Mapping tree, Map<String, String> environment, Problems problems) {
    return new Configuration(new Variables(environment, problems).replace("", tree), problems);
  }

  private static Node.Mapping read(Path file, Problems problems) {
    try {
      return mapping(file.toString(), Files.readString(file), problems);
    } catch (IOException e) {
      problems.add(file.toString(), reason(e) + " (expected a readable YAML file)");
      return Node.Mapping.empty();
    }
  }

  private static String reason(IOException e) {
    return switch (e) {
      case NoSuchFileException missing -> "no such file";
      case AccessDeniedException denied -> "permission denied";
      case CharacterCodingException coding -> "not UTF-8 text";
      default -> "cannot be read: " + e.getMessage();
    };
  }

  private static Node.Mapping mapping(String name, String yaml, Problems problems) {
    Node node = YamlText.read(name, yaml, problems);
    if (node instanceof Node.Mapping mapping) {
      return mapping;
    }
    if (node != null && !Node.isNull(node) && !(node instanceof Node.Broken)) {
      problems.add(name, "holds " + node.kind() + " (expected a mapping such as receivers: …)");
    }
    return Node.Mapping.empty();
  }
}
