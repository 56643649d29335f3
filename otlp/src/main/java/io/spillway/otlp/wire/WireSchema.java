package io.spillway.otlp.wire;

import io.spillway.otlp.Signal;
import java.util.Arrays;

/**
 * What OTLP export requests look like on the wire, as one flat table: for a message and a
 * single-byte tag, the action to take.
 *
 * <p>Only fields that need more than skipping are listed: messages, strings, ids and packed
 * numbers. Every other field, known or not, is skipped by its wire type, which is also what
 * protobuf does with a known field of the wrong wire type. Field numbers from 16 need two bytes and
 * none of them is more than a number, so the table ends at tag 127. Source: opentelemetry-proto
 * 1.11.
 */
final class WireSchema {
  static final int VARINT = 0;
  static final int FIXED64 = 1;
  static final int LEN = 2;
  static final int GROUP_START = 3;
  static final int GROUP_END = 4;
  static final int FIXED32 = 5;

  /** A wire type that does not exist, or field number 0. */
  static final int INVALID = 6;

  /** The first action on a length-delimited field; all later ones are too. */
  static final int BYTES = 8;

  static final int STRING = 9;
  static final int PACKED_FIXED64 = 10;
  static final int PACKED_VARINTS = 11;

  /** 16 bytes, or none. */
  static final int TRACE_ID = 12;

  /** 8 bytes, or none. */
  static final int SPAN_ID = 13;

  /** Descend. The row of the child stands in the bits above {@link #ACTION_MASK}. */
  static final int MESSAGE = 14;

  /** Descend into a KeyValue, if it is not a {@link PlainAttribute}. */
  static final int ATTRIBUTE = 15;

  /** Descend into a span, log record or profile. */
  static final int ITEM = 16;

  /** Descend into a top-level record. */
  static final int RESOURCE_RECORD = 17;

  /** Descend into a Metric. */
  static final int METRIC = 18;

  /** Descend into a member of the oneof {@code Metric.data}. */
  static final int METRIC_DATA = 19;

  /** Descend into a data point. */
  static final int DATA_POINT = 20;

  static final int ACTION_MASK = 127;
  private static final int ROW_SHIFT = 7;

  /** Indexed by the row of a message plus a tag byte. */
  static final short[] ACTIONS = new short[Message.COUNT << ROW_SHIFT];

  /** A message type; its ordinal is its row. */
  enum Message {
    GROUP("group"),
    TRACES_REQUEST("ExportTraceServiceRequest"),
    METRICS_REQUEST("ExportMetricsServiceRequest"),
    LOGS_REQUEST("ExportLogsServiceRequest"),
    PROFILES_REQUEST("ExportProfilesServiceRequest"),
    RESOURCE_SPANS("ResourceSpans"),
    RESOURCE_METRICS("ResourceMetrics"),
    RESOURCE_LOGS("ResourceLogs"),
    RESOURCE_PROFILES("ResourceProfiles"),
    SCOPE_SPANS("ScopeSpans"),
    SCOPE_METRICS("ScopeMetrics"),
    SCOPE_LOGS("ScopeLogs"),
    SCOPE_PROFILES("ScopeProfiles"),
    RESOURCE("Resource"),
    ENTITY_REF("EntityRef"),
    SCOPE("InstrumentationScope"),
    KEY_VALUE("KeyValue"),
    ANY_VALUE("AnyValue"),
    ARRAY_VALUE("ArrayValue"),
    KEY_VALUE_LIST("KeyValueList"),
    SPAN("Span"),
    EVENT("Span.Event"),
    LINK("Span.Link"),
    STATUS("Status"),
    METRIC("Metric"),
    GAUGE("Gauge"),
    SUM("Sum"),
    HISTOGRAM("Histogram"),
    EXPONENTIAL_HISTOGRAM("ExponentialHistogram"),
    SUMMARY("Summary"),
    NUMBER_POINT("NumberDataPoint"),
    HISTOGRAM_POINT("HistogramDataPoint"),
    EXPONENTIAL_HISTOGRAM_POINT("ExponentialHistogramDataPoint"),
    BUCKETS("ExponentialHistogramDataPoint.Buckets"),
    SUMMARY_POINT("SummaryDataPoint"),
    QUANTILE("SummaryDataPoint.ValueAtQuantile"),
    EXEMPLAR("Exemplar"),
    LOG_RECORD("LogRecord"),
    PROFILE("Profile"),
    DICTIONARY("ProfilesDictionary");

    private static final Message[] ALL = values();
    private static final int COUNT = ALL.length;

    private final String protoName;

    Message(String protoName) {
      this.protoName = protoName;
    }

    @SuppressWarnings("EnumOrdinal") // a row number of this table, never stored
    int row() {
      return ordinal() << ROW_SHIFT;
    }

    private Message strings(int... fields) {
      for (int field : fields) {
        put(field, STRING);
      }
      return this;
    }

    private Message messages(Message child, int... fields) {
      return descend(child == KEY_VALUE ? ATTRIBUTE : MESSAGE, child, fields);
    }

    private Message descend(int action, Message child, int... fields) {
      for (int field : fields) {
        put(field, child.row() | action);
      }
      return this;
    }

    private Message ids(int traceId, int... spanIds) {
      put(traceId, TRACE_ID);
      for (int field : spanIds) {
        put(field, SPAN_ID);
      }
      return this;
    }

    private Message packed(int action, int... fields) {
      for (int field : fields) {
        put(field, action);
      }
      return this;
    }

    private void put(int field, int action) {
      ACTIONS[row() + (field << 3 | LEN)] = (short) action;
    }
  }

  static {
    Arrays.stream(Message.ALL).forEach(WireSchema::skipAll);
    envelopes(Message.TRACES_REQUEST, Message.RESOURCE_SPANS, Message.SCOPE_SPANS);
    envelopes(Message.METRICS_REQUEST, Message.RESOURCE_METRICS, Message.SCOPE_METRICS);
    envelopes(Message.LOGS_REQUEST, Message.RESOURCE_LOGS, Message.SCOPE_LOGS);
    envelopes(Message.PROFILES_REQUEST, Message.RESOURCE_PROFILES, Message.SCOPE_PROFILES);
    common();
    traces();
    metrics();
    points();
    profiles();
    Message.SCOPE_LOGS.descend(ITEM, Message.LOG_RECORD, 2);
    Message.LOG_RECORD
        .ids(9, 10)
        .strings(3, 12)
        .messages(Message.ANY_VALUE, 5)
        .messages(Message.KEY_VALUE, 6);
  }

  private WireSchema() {}

  /** The row of the request of a signal. */
  static int requestRow(Signal signal) {
    return switch (signal) {
      case TRACES -> Message.TRACES_REQUEST.row();
      case METRICS -> Message.METRICS_REQUEST.row();
      case LOGS -> Message.LOGS_REQUEST.row();
      case PROFILES -> Message.PROFILES_REQUEST.row();
    };
  }

  /** The row of the message in a field of another one. */
  static int childRow(int row, int tag) {
    return ACTIONS[row + tag] & ~ACTION_MASK;
  }

  /** The protobuf name of the message of a row. */
  static String name(int row) {
    return Message.ALL[row >> ROW_SHIFT].protoName;
  }

  private static void skipAll(Message message) {
    for (int tag = 0; tag < 1 << ROW_SHIFT; tag++) {
      int wireType = tag & 7;
      int action = wireType == LEN ? BYTES : Math.min(wireType, INVALID);
      ACTIONS[message.row() + tag] = (short) (tag >>> 3 == 0 ? INVALID : action);
    }
  }

  private static void envelopes(Message request, Message resourceRecord, Message scopeRecord) {
    request.descend(RESOURCE_RECORD, resourceRecord, 1);
    resourceRecord.messages(Message.RESOURCE, 1).messages(scopeRecord, 2).strings(3);
    scopeRecord.messages(Message.SCOPE, 1).strings(3);
  }

  private static void common() {
    Message.RESOURCE.messages(Message.KEY_VALUE, 1).messages(Message.ENTITY_REF, 3);
    Message.ENTITY_REF.strings(1, 2, 3, 4);
    Message.SCOPE.strings(1, 2).messages(Message.KEY_VALUE, 3);
    Message.KEY_VALUE.strings(1).messages(Message.ANY_VALUE, 2);
    Message.ANY_VALUE
        .strings(1)
        .messages(Message.ARRAY_VALUE, 5)
        .messages(Message.KEY_VALUE_LIST, 6);
    Message.ARRAY_VALUE.messages(Message.ANY_VALUE, 1);
    Message.KEY_VALUE_LIST.messages(Message.KEY_VALUE, 1);
  }

  private static void traces() {
    Message.SCOPE_SPANS.descend(ITEM, Message.SPAN, 2);
    Message.SPAN
        .ids(1, 2, 4)
        .strings(3, 5)
        .messages(Message.KEY_VALUE, 9)
        .messages(Message.EVENT, 11)
        .messages(Message.LINK, 13)
        .messages(Message.STATUS, 15);
    Message.EVENT.strings(2).messages(Message.KEY_VALUE, 3);
    Message.LINK.ids(1, 2).strings(3).messages(Message.KEY_VALUE, 4);
    Message.STATUS.strings(2);
  }

  /** Nothing below is listed: it is in development, and changes from version to version. */
  private static void profiles() {
    Message.PROFILES_REQUEST.messages(Message.DICTIONARY, 2);
    Message.SCOPE_PROFILES.descend(ITEM, Message.PROFILE, 2);
  }

  private static void metrics() {
    Message.SCOPE_METRICS.descend(METRIC, Message.METRIC, 2);
    Message.METRIC
        .strings(1, 2, 3)
        .messages(Message.KEY_VALUE, 12)
        .descend(METRIC_DATA, Message.GAUGE, 5)
        .descend(METRIC_DATA, Message.SUM, 7)
        .descend(METRIC_DATA, Message.HISTOGRAM, 9)
        .descend(METRIC_DATA, Message.EXPONENTIAL_HISTOGRAM, 10)
        .descend(METRIC_DATA, Message.SUMMARY, 11);
    Message.GAUGE.descend(DATA_POINT, Message.NUMBER_POINT, 1);
    Message.SUM.descend(DATA_POINT, Message.NUMBER_POINT, 1);
    Message.HISTOGRAM.descend(DATA_POINT, Message.HISTOGRAM_POINT, 1);
    Message.EXPONENTIAL_HISTOGRAM.descend(DATA_POINT, Message.EXPONENTIAL_HISTOGRAM_POINT, 1);
    Message.SUMMARY.descend(DATA_POINT, Message.SUMMARY_POINT, 1);
  }

  private static void points() {
    Message.NUMBER_POINT.messages(Message.EXEMPLAR, 5).messages(Message.KEY_VALUE, 7);
    Message.HISTOGRAM_POINT
        .packed(PACKED_FIXED64, 6, 7)
        .messages(Message.EXEMPLAR, 8)
        .messages(Message.KEY_VALUE, 9);
    Message.EXPONENTIAL_HISTOGRAM_POINT
        .messages(Message.KEY_VALUE, 1)
        .messages(Message.BUCKETS, 8, 9)
        .messages(Message.EXEMPLAR, 11);
    Message.BUCKETS.packed(PACKED_VARINTS, 2);
    Message.SUMMARY_POINT.messages(Message.QUANTILE, 6).messages(Message.KEY_VALUE, 7);
    Message.EXEMPLAR.ids(5, 4).messages(Message.KEY_VALUE, 7);
  }
}
