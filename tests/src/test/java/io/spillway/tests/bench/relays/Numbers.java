package io.spillway.tests.bench.relays;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.wire.FieldCursor;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The numbers that the items of a {@link Workload} carry, each in eight bytes: spans and log
 * records in their span id, data points in their time.
 */
final class Numbers {
  private static final VarHandle ID =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle TIME =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final int ITEMS = 2;
  private static final int SPAN_ID_OF_SPAN = 2;
  private static final int SPAN_ID_OF_LOG = 10;
  private static final int TIME_OF_POINT = 3;

  /** Where {@link #places} says that no number is. */
  static final int NOWHERE = -1;

  private Numbers() {}

  /** Told of items one after the other. */
  interface Visitor {
    /**
     * @param at the first of the bytes that hold the number; {@link #NOWHERE} if none do
     */
    void item(int at);
  }

  /** Visits the items of a request that a scanner found valid. */
  static void places(Signal signal, Slice request, Visitor visitor) {
    FieldCursor resources =
        new FieldCursor()
            .over(request.array(), request.offset(), request.offset() + request.length());
    while (resources.next()) {
      FieldCursor scopes = inside(resources);
      while (scopes.next()) {
        if (scopes.number() == ITEMS) {
          items(signal, inside(scopes), visitor);
        }
      }
    }
  }

  /** Of no meaning if the item is not of a workload. */
  static long read(Signal signal, byte[] array, int at) {
    return signal == Signal.METRICS
        ? Workload.numberOfTime((long) TIME.get(array, at))
        : Workload.numberOfId((long) ID.get(array, at));
  }

  static void write(Signal signal, byte[] array, int at, int number) {
    if (signal == Signal.METRICS) {
      TIME.set(array, at, Workload.time(number));
    } else {
      ID.set(array, at, Workload.id(number));
    }
  }

  private static void items(Signal signal, FieldCursor items, Visitor visitor) {
    while (items.next()) {
      if (items.number() != ITEMS) {
        continue;
      }
      switch (signal) {
        case METRICS -> points(inside(items), visitor);
        case TRACES -> visitor.item(place(inside(items), SPAN_ID_OF_SPAN));
        default -> visitor.item(place(inside(items), SPAN_ID_OF_LOG));
      }
    }
  }

  /** Of every kind of metric: gauge 5, sum 7, histogram 9, exponential histogram 10. */
  private static void points(FieldCursor metric, Visitor visitor) {
    while (metric.next()) {
      if (metric.number() < 5 || metric.number() > 10) {
        continue;
      }
      FieldCursor points = inside(metric);
      while (points.next()) {
        if (points.number() == 1) {
          visitor.item(place(inside(points), TIME_OF_POINT));
        }
      }
    }
  }

  private static int place(FieldCursor item, int field) {
    while (item.next()) {
      if (item.number() == field && item.end() - item.value() == Long.BYTES) {
        return item.value();
      }
    }
    return NOWHERE;
  }

  private static FieldCursor inside(FieldCursor field) {
    return new FieldCursor().over(field.array(), field.value(), field.end());
  }
}
