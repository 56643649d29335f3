package io.spillway.otlp.wire;

import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.util.List;

/**
 * Cuts a valid request into smaller ones at item boundaries.
 *
 * <p>It cuts as coarsely as it can: between resource records; inside one only if it does not fit
 * into a part by itself, and then between its scopes, between the items of a scope, and between the
 * data points of a metric. Everything that is not cut is copied as it stands. A message that is cut
 * leaves its other fields, known or not, in each part it has children in.
 */
public final class RequestSplitter {
  // Levels of nesting, also the index of a level's open message in a part.
  private static final int REQUEST = 0;
  private static final int RESOURCE_RECORD = 1;
  private static final int SCOPE_RECORD = 2;
  private static final int METRIC = 3;
  private static final int METRIC_DATA = 4;
  private static final int LEVELS = 5;

  private static final int RESOURCE_TAG = (1 << 3) | WireSchema.LEN;
  private static final int CHILD_TAG = 2 << 3 | WireSchema.LEN;

  private final Signal signal;
  private final PartWriter writer;
  private final ItemCounter counter;
  private final WireBuffer metricData = new WireBuffer(Integer.MAX_VALUE);

  private RequestSplitter(Signal signal, int maxBytes) {
    this.signal = signal;
    this.counter = new ItemCounter(signal);
    this.writer = new PartWriter(LEVELS, maxBytes);
  }

  /**
   * Parts of at most {@code maxBytes} each, in order; the request itself if it fits.
   *
   * @param request found valid by a {@link RequestScanner}
   * @throws PayloadTooLargeException if a single item with its resource and scope exceeds {@code
   *     maxBytes}, or the signal's requests cannot be cut
   */
  public static List<Part> split(Signal signal, Slice request, int maxBytes)
      throws PayloadTooLargeException {
    FieldCursor whole =
        new FieldCursor()
            .over(request.array(), request.offset(), request.offset() + request.length());
    if (request.length() <= maxBytes) {
      return List.of(new Part(request, new ItemCounter(signal).inRequest(whole)));
    }
    RequestSplitter splitter = new RequestSplitter(signal, maxBytes);
    if (!signal.concatenates()) {
      throw splitter.uncut(request.length());
    }
    return splitter.cut(whole, request.length());
  }

  private List<Part> cut(FieldCursor request, int size) throws PayloadTooLargeException {
    if (!hasChildren(REQUEST, request.copy())) {
      throw tooLarge(size);
    }
    cutChildren(REQUEST, 0, request);
    return writer.finish();
  }

  /** Opens a message in the current part and places its children one by one. */
  private void cutChildren(int level, int tag, FieldCursor message)
      throws PayloadTooLargeException {
    writer.open(level, tag);
    FieldCursor others = message.copy();
    while (others.next()) {
      if (!isChild(level, others)) {
        writer.keep(others);
      }
    }
    while (message.next()) {
      if (isChild(level, message)) {
        place(level, message);
      }
    }
    writer.close();
  }

  private static boolean isChild(int level, FieldCursor field) {
    return (level == REQUEST || level == METRIC_DATA) ? field.isLen(1) : field.isLen(2);
  }

  private static boolean hasChildren(int level, FieldCursor message) {
    while (message.next()) {
      if (isChild(level, message)) {
        return true;
      }
    }
    return false;
  }

  private void place(int level, FieldCursor child) throws PayloadTooLargeException {
    if (writer.makeRoom(child.size())) {
      writer.append(child, counter.inRecord(level, child));
    } else if (level == REQUEST && hasChildren(RESOURCE_RECORD, child.children())) {
      cutChildren(RESOURCE_RECORD, RESOURCE_TAG, child.children());
    } else if (level == RESOURCE_RECORD && hasChildren(SCOPE_RECORD, child.children())) {
      cutChildren(SCOPE_RECORD, CHILD_TAG, child.children());
    } else if (level == SCOPE_RECORD && isMetricWithPoints(child)) {
      cutMetric(child);
    } else {
      throw tooLarge(writer.smallestSizeWith(child.size()));
    }
  }

  private boolean isMetricWithPoints(FieldCursor item) {
    return signal == Signal.METRICS && counter.inRecord(SCOPE_RECORD, item) > 0;
  }

  /**
   * Cuts between data points. Where the oneof {@code data} was written several times, the parts
   * hold what it amounts to: the last run of one member, merged.
   */
  private void cutMetric(FieldCursor metric) throws PayloadTooLargeException {
    writer.open(METRIC, CHILD_TAG);
    metricData.clear();
    int member = 0;
    FieldCursor field = metric.children();
    while (field.next()) {
      if (!ItemCounter.isMetricData(field)) {
        writer.keep(field);
        continue;
      }
      if (field.number() != member) {
        member = field.number();
        metricData.clear();
      }
      metricData.append(field.array(), field.value(), field.end());
    }
    FieldCursor points = new FieldCursor().over(metricData.array(), 0, metricData.size());
    cutChildren(METRIC_DATA, member << 3 | WireSchema.LEN, points);
    writer.close();
  }

  private PayloadTooLargeException tooLarge(long size) {
    return new PayloadTooLargeException(
        "%s request: the smallest part (one %s with its resource and scope) takes %d bytes (expected at most %d)"
            .formatted(signal.label(), signal.itemName(), size, writer.maxBytes()));
  }

  private PayloadTooLargeException uncut(int size) {
    return new PayloadTooLargeException(
        "%s request of %d bytes (expected at most %d: it cannot be cut)"
            .formatted(signal.label(), size, writer.maxBytes()));
  }

  /** One part: a request of its own, and the items in it. */
  public record Part(Slice request, int items) {}
}
