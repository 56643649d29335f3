package io.spillway.config;

import java.util.LinkedHashMap;
import java.util.Map;

/** Lays one tree over another: mappings merge, everything else is replaced. */
final class Merge {
  private Merge() {}

  static Node.Mapping into(Node.Mapping base, Node.Mapping later) {
    Map<String, Node> entries = new LinkedHashMap<>(base.entries());
    later.entries().forEach((key, value) -> entries.merge(key, value, Merge::value));
    return new Node.Mapping(entries);
  }

  private static Node value(Node earlier, Node later) {
    return earlier instanceof Node.Mapping base && later instanceof Node.Mapping over
        ? into(base, over)
        : later;
  }
}
