package io.spillway.config;

import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/** The state of one reading of a configuration: what is wrong, and which sections were opened. */
final class Reading {
  private final Problems problems;

  /** By identity: two equal mappings at two places are two sections. */
  private final IdentityHashMap<Node.Mapping, Section> sections = new IdentityHashMap<>();

  Reading(Problems problems) {
    this.problems = problems;
  }

  Problems problems() {
    return problems;
  }

  /** The one section of a mapping; every caller shares it, so that asked-for keys add up. */
  Section section(String path, Node.Mapping mapping, boolean secret) {
    return sections.computeIfAbsent(mapping, m -> new Section(path, m, secret, this));
  }

  @Nullable Section opened(Node.Mapping mapping) {
    return sections.get(mapping);
  }
}
