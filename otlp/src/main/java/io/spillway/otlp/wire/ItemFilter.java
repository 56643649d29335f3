package io.spillway.otlp.wire;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Leaves out of a request the items that strict sinks refuse all of it for: those with a {@link
 * Flaw}, and those below a resource, scope or metric with one. Everything else is copied as it
 * stands; a message that this leaves empty goes too (OTLP: empty envelopes should not be sent).
 *
 * <p>Where a metric has its data more than once, and so items that others clear, it is kept or left
 * out as a whole. Belongs to one thread at a time; the result owns its array.
 */
public final class ItemFilter {
  private static final int RESOURCE_TAG = 1 << 3 | WireSchema.LEN;
  private static final int CHILD_TAG = 2 << 3 | WireSchema.LEN;
  private static final int POINT_TAG = 1 << 3 | WireSchema.LEN;

  private final Signal signal;
  private final Slice request;
  private final ItemCounter counter;
  private final RequestScanner checks = new RequestScanner();
  private final WireBuffer out = new WireBuffer(Integer.MAX_VALUE);
  private final Map<Flaw.Kind, Integer> invalid = new EnumMap<>(Flaw.Kind.class);
  private final int resourceRow;
  private final int scopeRow;
  private final int itemRow;

  private int kept;

  /** Fields left out so far, with or without items in them. */
  private int removed;

  private ItemFilter(Signal signal, Slice request) {
    this.signal = signal;
    this.request = request;
    this.counter = new ItemCounter(signal);
    this.resourceRow = WireSchema.childRow(WireSchema.requestRow(signal), RESOURCE_TAG);
    this.scopeRow = WireSchema.childRow(resourceRow, CHILD_TAG);
    this.itemRow = WireSchema.childRow(scopeRow, CHILD_TAG);
  }

  /**
   * What is left of a request.
   *
   * @param kept items in it
   * @param invalid items left out, by the first flaw that concerns each; none are 0
   */
  public record Filtered(Slice request, int kept, Map<Flaw.Kind, Integer> invalid) {
    public Filtered {
      invalid = Map.copyOf(invalid);
    }
  }

  /**
   * @param request found valid by {@link RequestScanner#inspect}
   */
  public static Filtered filter(Signal signal, Slice request) {
    ItemFilter filter = new ItemFilter(signal, request);
    FieldCursor fields =
        new FieldCursor()
            .over(request.array(), request.offset(), request.offset() + request.length());
    while (fields.next()) {
      if (fields.isLen(1)) {
        filter.resource(fields);
      } else {
        filter.copy(fields);
      }
    }
    return new Filtered(filter.out.toSlice(), filter.kept, filter.invalid);
  }

  private void resource(FieldCursor record) {
    envelope(0, resourceRow, record, this::scope);
  }

  private void scope(FieldCursor record) {
    envelope(1, scopeRow, record, this::item);
  }

  /**
   * A resource or scope record.
   *
   * @param level as {@link ItemCounter} counts
   * @param child takes each record within
   */
  private void envelope(int level, int row, FieldCursor record, Consumer<FieldCursor> child) {
    Flaw flaw = flawOutside(2, row, record);
    if (flaw != null) {
      remove(flaw, counter.inRecord(level, record));
      return;
    }
    Open message = open(record);
    FieldCursor fields = record.children();
    while (fields.next()) {
      if (fields.isLen(2)) {
        child.accept(fields);
      } else {
        copy(fields);
      }
    }
    close(message);
  }

  /** A span, log record, profile or metric. */
  private void item(FieldCursor record) {
    Flaw flaw = flawIn(itemRow, record.value(), record.end());
    if (flaw == null) {
      keep(record, counter.inRecord(2, record));
      return;
    }
    FieldCursor data = signal == Signal.METRICS ? onlyData(record) : null;
    if (data == null || flawBesides(data, record)) {
      remove(flaw, counter.inRecord(2, record));
    } else {
      metric(record);
    }
  }

  /** A metric with invalid points, and nothing else wrong with it. */
  private void metric(FieldCursor record) {
    Open message = open(record);
    FieldCursor fields = record.children();
    while (fields.next()) {
      if (ItemCounter.isMetricData(fields)) {
        points(fields);
      } else {
        copy(fields);
      }
    }
    close(message);
  }

  private void points(FieldCursor data) {
    int pointRow = WireSchema.childRow(WireSchema.childRow(itemRow, data.tag()), POINT_TAG);
    Open message = open(data);
    FieldCursor fields = data.children();
    while (fields.next()) {
      Flaw flaw = fields.isLen(1) ? flawIn(pointRow, fields.value(), fields.end()) : null;
      if (flaw != null) {
        remove(flaw, 1);
      } else {
        keep(fields, fields.isLen(1) ? 1 : 0);
      }
    }
    close(message);
  }

  /** The one field with the data of a metric; null if there are none or several. */
  private static @Nullable FieldCursor onlyData(FieldCursor metric) {
    FieldCursor found = null;
    FieldCursor fields = metric.children();
    while (fields.next()) {
      if (ItemCounter.isMetricData(fields)) {
        if (found != null) {
          return null;
        }
        found = new FieldCursor().over(fields.array(), fields.start(), fields.end());
        found.next();
      }
    }
    return found;
  }

  private boolean flawBesides(FieldCursor data, FieldCursor metric) {
    return flawIn(itemRow, metric.value(), data.start()) != null
        || flawIn(itemRow, data.end(), metric.end()) != null;
  }

  /** The first flaw in a message, the fields of this number left out. */
  private @Nullable Flaw flawOutside(int children, int row, FieldCursor message) {
    FieldCursor fields = message.children();
    while (fields.next()) {
      Flaw flaw = fields.isLen(children) ? null : flawIn(row, fields.start(), fields.end());
      if (flaw != null) {
        return flaw;
      }
    }
    return null;
  }

  private @Nullable Flaw flawIn(int row, int from, int to) {
    return checks.flawIn(signal, row, request, from, to);
  }

  private void keep(FieldCursor field, int items) {
    kept += items;
    copy(field);
  }

  private void remove(Flaw flaw, int items) {
    removed++;
    if (items > 0) {
      invalid.merge(flaw.kind(), items, Integer::sum);
    }
  }

  /** A message that is being written, and how things stood before it. */
  private record Open(int begin, int body, int lengthBytes, int keptBefore, int removedBefore) {}

  private Open open(FieldCursor field) {
    int begin = out.size();
    int lengthBytes = WireBuffer.varintSize(field.valueSize());
    return new Open(begin, out.open(field.tag(), lengthBytes), lengthBytes, kept, removed);
  }

  /** Takes the message back if what was removed was all there was in it. */
  private void close(Open message) {
    if (kept == message.keptBefore && removed > message.removedBefore) {
      out.truncate(message.begin);
    } else {
      out.close(message.body, message.lengthBytes);
    }
  }

  private void copy(FieldCursor field) {
    out.append(field.array(), field.start(), field.end());
  }
}
