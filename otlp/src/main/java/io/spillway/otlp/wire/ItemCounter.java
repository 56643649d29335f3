package io.spillway.otlp.wire;

import io.spillway.otlp.Signal;

/** Counts items in pieces of valid requests, without looking into items. */
final class ItemCounter {
  private final Signal signal;

  ItemCounter(Signal signal) {
    this.signal = signal;
  }

  int inRequest(FieldCursor fields) {
    int items = 0;
    while (fields.next()) {
      if (fields.isLen(1)) {
        items += inRecord(0, fields);
      }
    }
    return items;
  }

  /**
   * Items in a record found {@code level} messages below the request: 0 a resource record, 1 a
   * scope record, 2 a span, log record, profile or metric; deeper, a data point.
   */
  int inRecord(int level, FieldCursor field) {
    if (level > 2) {
      return 1;
    }
    if (level == 2) {
      return signal == Signal.METRICS ? inMetric(field.children()) : 1;
    }
    int items = 0;
    FieldCursor children = field.children();
    while (children.next()) {
      if (children.isLen(2)) {
        items += inRecord(level + 1, children);
      }
    }
    return items;
  }

  /** Oneof: the last member on the wire wins, the same one again merges, another one clears. */
  private static int inMetric(FieldCursor metric) {
    int points = 0;
    int member = 0;
    while (metric.next()) {
      if (isMetricData(metric)) {
        points = metric.number() == member ? points : 0;
        member = metric.number();
        FieldCursor data = metric.children();
        while (data.next()) {
          points += data.isLen(1) ? 1 : 0;
        }
      }
    }
    return points;
  }

  /** Whether a field of Metric is a member of the oneof {@code data}. */
  static boolean isMetricData(FieldCursor field) {
    return field.isLen(5) || field.isLen(7) || field.isLen(9) || field.isLen(10) || field.isLen(11);
  }
}
