package io.spillway.otlp.stage;

import java.util.ArrayList;
import java.util.List;

/** What became of every item of a block. */
public record Settlement(List<Part> parts) {

  public Settlement {
    parts = List.copyOf(parts);
  }

  public static Settlement delivered(String exporter, int items) {
    return new Settlement(List.of(new Delivered(exporter, items)));
  }

  public static Settlement dropped(DropReason reason, int items) {
    return new Settlement(List.of(new Dropped(reason, items)));
  }

  public int items() {
    return parts.stream().mapToInt(Part::items).sum();
  }

  /** This settlement and another one, of other items of the same block. */
  public Settlement and(Settlement other) {
    List<Part> all = new ArrayList<>(parts);
    all.addAll(other.parts);
    return new Settlement(all);
  }

  /** The fate of some items. */
  public sealed interface Part {
    int items();
  }

  /** A sink confirmed these items. */
  public record Delivered(String exporter, int items) implements Part {}

  /** A sink took the request but not these items (OTLP §Partial Success). */
  public record Rejected(String exporter, int items) implements Part {}

  /** These items were given up, for a reason that the ledger shows. */
  public record Dropped(DropReason reason, int items) implements Part {}
}
