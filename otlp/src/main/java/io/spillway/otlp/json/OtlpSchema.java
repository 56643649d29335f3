package io.spillway.otlp.json;

import io.spillway.otlp.Signal;
import io.spillway.otlp.json.MessageType.Field;
import io.spillway.otlp.json.MessageType.Presence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.json.JsonFactory;

/** The messages of OTLP 1.11 requests for traces, metrics and logs. */
final class OtlpSchema {

  /**
   * A message per paragraph; per field its number, JSON key, kind or message, and {@code repeated},
   * {@code optional} or {@code oneof}.
   */
  private static final String TABLE =
      """
      ExportTraceServiceRequest
      1 resourceSpans ResourceSpans repeated

      ResourceSpans
      1 resource Resource
      2 scopeSpans ScopeSpans repeated
      3 schemaUrl string

      ScopeSpans
      1 scope InstrumentationScope
      2 spans Span repeated
      3 schemaUrl string

      Span
      1 traceId trace_id
      2 spanId span_id
      3 traceState string
      4 parentSpanId span_id
      5 name string
      6 kind enum
      7 startTimeUnixNano fixed64
      8 endTimeUnixNano fixed64
      9 attributes KeyValue repeated
      10 droppedAttributesCount uint32
      11 events Event repeated
      12 droppedEventsCount uint32
      13 links Link repeated
      14 droppedLinksCount uint32
      15 status Status
      16 flags fixed32

      Event
      1 timeUnixNano fixed64
      2 name string
      3 attributes KeyValue repeated
      4 droppedAttributesCount uint32

      Link
      1 traceId trace_id
      2 spanId span_id
      3 traceState string
      4 attributes KeyValue repeated
      5 droppedAttributesCount uint32
      6 flags fixed32

      Status
      2 message string
      3 code enum

      ExportMetricsServiceRequest
      1 resourceMetrics ResourceMetrics repeated

      ResourceMetrics
      1 resource Resource
      2 scopeMetrics ScopeMetrics repeated
      3 schemaUrl string

      ScopeMetrics
      1 scope InstrumentationScope
      2 metrics Metric repeated
      3 schemaUrl string

      Metric
      1 name string
      2 description string
      3 unit string
      5 gauge Gauge oneof
      7 sum Sum oneof
      9 histogram Histogram oneof
      10 exponentialHistogram ExponentialHistogram oneof
      11 summary Summary oneof
      12 metadata KeyValue repeated

      Gauge
      1 dataPoints NumberDataPoint repeated

      Sum
      1 dataPoints NumberDataPoint repeated
      2 aggregationTemporality enum
      3 isMonotonic bool

      Histogram
      1 dataPoints HistogramDataPoint repeated
      2 aggregationTemporality enum

      ExponentialHistogram
      1 dataPoints ExponentialHistogramDataPoint repeated
      2 aggregationTemporality enum

      Summary
      1 dataPoints SummaryDataPoint repeated

      NumberDataPoint
      2 startTimeUnixNano fixed64
      3 timeUnixNano fixed64
      4 asDouble double oneof
      5 exemplars Exemplar repeated
      6 asInt sfixed64 oneof
      7 attributes KeyValue repeated
      8 flags uint32

      HistogramDataPoint
      2 startTimeUnixNano fixed64
      3 timeUnixNano fixed64
      4 count fixed64
      5 sum double optional
      6 bucketCounts fixed64 repeated
      7 explicitBounds double repeated
      8 exemplars Exemplar repeated
      9 attributes KeyValue repeated
      10 flags uint32
      11 min double optional
      12 max double optional

      ExponentialHistogramDataPoint
      1 attributes KeyValue repeated
      2 startTimeUnixNano fixed64
      3 timeUnixNano fixed64
      4 count fixed64
      5 sum double optional
      6 scale sint32
      7 zeroCount fixed64
      8 positive Buckets
      9 negative Buckets
      10 flags uint32
      11 exemplars Exemplar repeated
      12 min double optional
      13 max double optional
      14 zeroThreshold double

      Buckets
      1 offset sint32
      2 bucketCounts uint64 repeated

      SummaryDataPoint
      2 startTimeUnixNano fixed64
      3 timeUnixNano fixed64
      4 count fixed64
      5 sum double
      6 quantileValues ValueAtQuantile repeated
      7 attributes KeyValue repeated
      8 flags uint32

      ValueAtQuantile
      1 quantile double
      2 value double

      Exemplar
      2 timeUnixNano fixed64
      3 asDouble double oneof
      4 spanId span_id
      5 traceId trace_id
      6 asInt sfixed64 oneof
      7 filteredAttributes KeyValue repeated

      ExportLogsServiceRequest
      1 resourceLogs ResourceLogs repeated

      ResourceLogs
      1 resource Resource
      2 scopeLogs ScopeLogs repeated
      3 schemaUrl string

      ScopeLogs
      1 scope InstrumentationScope
      2 logRecords LogRecord repeated
      3 schemaUrl string

      LogRecord
      1 timeUnixNano fixed64
      2 severityNumber enum
      3 severityText string
      5 body AnyValue
      6 attributes KeyValue repeated
      7 droppedAttributesCount uint32
      8 flags fixed32
      9 traceId trace_id
      10 spanId span_id
      11 observedTimeUnixNano fixed64
      12 eventName string

      Resource
      1 attributes KeyValue repeated
      2 droppedAttributesCount uint32
      3 entityRefs EntityRef repeated

      EntityRef
      1 schemaUrl string
      2 type string
      3 idKeys string repeated
      4 descriptionKeys string repeated

      InstrumentationScope
      1 name string
      2 version string
      3 attributes KeyValue repeated
      4 droppedAttributesCount uint32

      KeyValue
      1 key string
      2 value AnyValue
      3 keyStrindex int32

      AnyValue
      1 stringValue string oneof
      2 boolValue bool oneof
      3 intValue int64 oneof
      4 doubleValue double oneof
      5 arrayValue ArrayValue oneof
      6 kvlistValue KeyValueList oneof
      7 bytesValue bytes oneof
      8 stringValueStrindex int32 oneof

      ArrayValue
      1 values AnyValue repeated

      KeyValueList
      1 values KeyValue repeated
      """;

  private final Map<String, MessageType> types = new HashMap<>();

  /** Reads the table; the factory makes the key matchers and must also make the parsers. */
  OtlpSchema(JsonFactory factory) {
    List<List<String>> paragraphs =
        TABLE.strip().transform(table -> List.of(table.split("\n\n"))).stream()
            .map(paragraph -> paragraph.lines().toList())
            .toList();
    paragraphs.forEach(lines -> types.put(lines.getFirst(), new MessageType(lines.getFirst())));
    for (List<String> lines : paragraphs) {
      List<Field> fields = new ArrayList<>();
      lines.stream().skip(1).map(this::field).forEach(fields::add);
      type(lines.getFirst()).define(fields, factory);
    }
  }

  MessageType request(Signal signal) {
    return type(
        switch (signal) {
          case TRACES -> "ExportTraceServiceRequest";
          case METRICS -> "ExportMetricsServiceRequest";
          case LOGS -> "ExportLogsServiceRequest";
          case PROFILES -> throw new IllegalArgumentException("profiles have no JSON here");
        });
  }

  private Field field(String line) {
    String[] words = line.split(" ", 4);
    @Nullable MessageType message = types.get(words[2]);
    FieldKind kind =
        message != null ? FieldKind.MESSAGE : FieldKind.valueOf(words[2].toUpperCase(Locale.ROOT));
    String label = words.length == 4 ? words[3] : "";
    Presence presence =
        switch (label) {
          case "optional" -> Presence.OPTIONAL;
          case "oneof" -> Presence.ONEOF;
          default -> Presence.IMPLICIT;
        };
    return new Field(
        words[1], Integer.parseInt(words[0]), kind, label.equals("repeated"), presence, message);
  }

  private MessageType type(String name) {
    MessageType type = types.get(name);
    if (type == null) {
      throw new IllegalArgumentException(name + ": no such message");
    }
    return type;
  }
}
