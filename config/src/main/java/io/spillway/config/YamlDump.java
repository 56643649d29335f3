package io.spillway.config;

import java.io.Serial;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLMapper;
import tools.jackson.dataformat.yaml.YAMLWriteFeature;
import tools.jackson.dataformat.yaml.util.StringQuotingChecker;

/** Writes a configuration tree as YAML without its secrets. */
final class YamlDump {
  private static final YAMLMapper YAML =
      YAMLMapper.builder(
              YAMLFactory.builder()
                  .disable(YAMLWriteFeature.WRITE_DOC_START_MARKER, YAMLWriteFeature.SPLIT_LINES)
                  .enable(YAMLWriteFeature.MINIMIZE_QUOTES)
                  .stringQuotingChecker(new Quoting())
                  .build())
          .build();

  private YamlDump() {}

  static String of(Node.Mapping tree) {
    return YAML.writeValueAsString(mapping(tree, false));
  }

  private static @Nullable Object value(Node node, boolean secret) {
    return switch (node) {
      case Node.Mapping mapping -> mapping(mapping, secret);
      case Node.Sequence sequence -> sequence(sequence, secret);
      case Node.Scalar scalar -> scalar(scalar, secret);
      case Node.Broken broken -> null;
    };
  }

  private static Map<String, @Nullable Object> mapping(Node.Mapping mapping, boolean secret) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    mapping
        .entries()
        .forEach((key, value) -> values.put(key, value(value, secret || Secrets.isSensitive(key))));
    return values;
  }

  private static List<@Nullable Object> sequence(Node.Sequence sequence, boolean secret) {
    List<@Nullable Object> values = new ArrayList<>();
    sequence.elements().forEach(element -> values.add(value(element, secret)));
    return values;
  }

  private static @Nullable Object scalar(Node.Scalar scalar, boolean secret) {
    if (scalar.value() instanceof String text && !secret) {
      return Secrets.withoutUserInfo(text).replaceAll("\\$(?=[{$])", "\\$\\$");
    }
    return scalar.isNull() || !secret ? scalar.value() : Secrets.REDACTED;
  }

  /** Quotes what would not be read as the same text again. */
  private static final class Quoting extends StringQuotingChecker.Default {
    @Serial private static final long serialVersionUID = 1L;

    @Override
    public boolean needToQuoteValue(String value) {
      return super.needToQuoteValue(value)
          || !Node.Scalar.ofText(value).equals(YamlText.read("", value, new Problems()));
    }
  }
}
