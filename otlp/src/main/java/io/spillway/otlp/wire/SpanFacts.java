package io.spillway.otlp.wire;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a sampler has to know of one span, read from its bytes: singular fields as protobuf has it,
 * the last one wins and messages merge. Reusable; belongs to one thread.
 */
final class SpanFacts {
  static final int TRACE_STATE = 3;

  private static final int TRACE_ID = 1;
  private static final int START_TIME = 7;
  private static final int END_TIME = 8;
  private static final int STATUS = 15;
  private static final int STATUS_CODE = 3;
  private static final int STATUS_CODE_ERROR = 2;
  private static final int TRACE_ID_BYTES = 16;
  private static final int RANDOM_BYTES = 7;

  private final boolean keepErrors;
  private final boolean keepSlow;
  private final long slowNanos;

  private final FieldCursor field = new FieldCursor();
  private final FieldCursor statusField = new FieldCursor();
  private final OtelTraceState traceState = new OtelTraceState();

  private byte[] buf = {};
  private int traceIdStart;
  private int traceIdBytes;
  private int traceStateStart;
  private int traceStateEnd;
  private long startNanos;
  private long endNanos;
  private int statusCode;
  private boolean parsed;

  /**
   * @param keepSlowerThan positive; null for no such rule
   */
  SpanFacts(boolean keepErrors, @Nullable Duration keepSlowerThan) {
    if (keepSlowerThan != null && !keepSlowerThan.isPositive()) {
      throw new IllegalArgumentException(
          "keepSlowerThan is " + keepSlowerThan + " (expected a positive duration)");
    }
    this.keepErrors = keepErrors;
    this.keepSlow = keepSlowerThan != null;
    this.slowNanos = keepSlowerThan == null ? 0 : nanos(keepSlowerThan);
  }

  private static long nanos(Duration duration) {
    boolean fits = duration.compareTo(Duration.ofNanos(Long.MAX_VALUE)) <= 0;
    return fits ? duration.toNanos() : Long.MAX_VALUE;
  }

  /** Reads the span that {@code parent} stands on. */
  void read(FieldCursor parent) {
    buf = parent.array();
    traceIdBytes = 0;
    traceStateStart = 0;
    traceStateEnd = 0;
    startNanos = 0;
    endNanos = 0;
    statusCode = 0;
    field.into(parent);
    while (field.next()) {
      readField();
    }
    parsed = traceState.parse(buf, traceStateStart, traceStateEnd);
    if (!parsed) {
      traceState.clear();
    }
  }

  private void readField() {
    if (field.isLen(TRACE_ID)) {
      traceIdStart = field.value();
      traceIdBytes = field.valueSize();
    } else if (field.isLen(TRACE_STATE)) {
      traceStateStart = field.value();
      traceStateEnd = field.end();
    } else if (field.isFixed64(START_TIME)) {
      startNanos = field.fixed64();
    } else if (field.isFixed64(END_TIME)) {
      endNanos = field.fixed64();
    } else if (field.isLen(STATUS)) {
      readStatus();
    }
  }

  private void readStatus() {
    statusField.into(field);
    while (statusField.next()) {
      if (statusField.isVarint(STATUS_CODE)) {
        statusCode = (int) statusField.varint();
      }
    }
  }

  boolean isKeptByRule() {
    return (keepErrors && statusCode == STATUS_CODE_ERROR) || (keepSlow && isSlow());
  }

  /** An unknown time, or an end before the start, says nothing about the duration. */
  private boolean isSlow() {
    return startNanos != 0
        && Long.compareUnsigned(endNanos, startNanos) > 0
        && Long.compareUnsigned(endNanos - startNanos, slowNanos) >= 0;
  }

  /** Whether there is anything to decide on: {@code rv}, or a trace id that is one. */
  boolean hasRandomness() {
    return traceState.hasRandomness() || hasTraceId();
  }

  private boolean hasTraceId() {
    if (traceIdBytes != TRACE_ID_BYTES) {
      return false;
    }
    for (int i = 0; i < TRACE_ID_BYTES; i++) {
      if (buf[traceIdStart + i] != 0) {
        return true;
      }
    }
    return false;
  }

  /** 56 bits: {@code rv}, or the end of the trace id. */
  long randomness() {
    if (traceState.hasRandomness()) {
      return traceState.randomness();
    }
    long value = 0;
    for (int i = TRACE_ID_BYTES - RANDOM_BYTES; i < TRACE_ID_BYTES; i++) {
      value = (value << Byte.SIZE) | (buf[traceIdStart + i] & 0xff);
    }
    return value;
  }

  /** The threshold the span was sampled with so far; 0 if it does not say. */
  long threshold() {
    return traceState.hasThreshold() ? traceState.threshold() : 0;
  }

  /** Whether the span claims a threshold that would have left it out. */
  boolean isInconsistent() {
    return traceState.hasThreshold() && randomness() < traceState.threshold();
  }

  /** Writes the tracestate with another {@code th}; false if that is not possible. */
  boolean writeTraceState(WireBuffer out, byte @Nullable [] th) {
    return parsed && traceState.write(out, th);
  }
}
