package io.spillway.tests.harness;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.InstrumentationScope;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.logs.v1.ResourceLogs;
import io.opentelemetry.proto.logs.v1.ScopeLogs;
import io.opentelemetry.proto.logs.v1.SeverityNumber;
import io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import io.opentelemetry.proto.metrics.v1.Sum;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Items whose whole content follows from a number, so that a sink can tell from an item alone
 * whether it arrived unharmed.
 */
public final class Items {

  private static final String ID = "item.id";
  private static final long BASE_NANOS = 1_700_000_000_000_000_000L;
  private static final String PADDING = "0123456789abcdef".repeat(12);

  private Items() {}

  /** What a sink found in a request: the numbers of its items, and how many were not as made. */
  public record Found(List<Long> ids, int damaged) {}

  /** A request with the items {@code first} to {@code first + count - 1} of one resource. */
  public static byte[] request(Kind kind, long first, int count, Map<String, String> attributes) {
    Resource.Builder resource = Resource.newBuilder();
    attributes.forEach((key, value) -> resource.addAttributes(text(key, value)));
    InstrumentationScope scope =
        InstrumentationScope.newBuilder().setName("spillway.tests").setVersion("1").build();
    return switch (kind) {
      case TRACES -> traces(resource.build(), scope, first, count).toByteArray();
      case METRICS -> metrics(resource.build(), scope, first, count).toByteArray();
      case LOGS -> logs(resource.build(), scope, first, count).toByteArray();
    };
  }

  /** Finds the items of a request and checks each against what its number says it must be. */
  public static Found find(Kind kind, ByteString request) throws InvalidProtocolBufferException {
    List<Long> ids = new ArrayList<>();
    int damaged = 0;
    for (Message item : list(kind, kind.parse(request))) {
      long id = id(attributes(item));
      ids.add(id);
      damaged += item.equals(item(kind, id)) ? 0 : 1;
    }
    return new Found(ids, damaged);
  }

  /** All items of a decoded request: spans, log records, and the data points of every metric. */
  public static List<Message> list(Kind kind, Message request) {
    List<Message> items = new ArrayList<>();
    switch (kind) {
      case TRACES ->
          ((ExportTraceServiceRequest) request)
              .getResourceSpansList().stream()
                  .flatMap(r -> r.getScopeSpansList().stream())
                  .forEach(s -> items.addAll(s.getSpansList()));
      case METRICS ->
          ((ExportMetricsServiceRequest) request)
              .getResourceMetricsList().stream()
                  .flatMap(r -> r.getScopeMetricsList().stream())
                  .flatMap(s -> s.getMetricsList().stream())
                  .forEach(m -> items.addAll(points(m)));
      case LOGS ->
          ((ExportLogsServiceRequest) request)
              .getResourceLogsList().stream()
                  .flatMap(r -> r.getScopeLogsList().stream())
                  .forEach(s -> items.addAll(s.getLogRecordsList()));
    }
    return items;
  }

  private static List<? extends Message> points(Metric metric) {
    return switch (metric.getDataCase()) {
      case GAUGE -> metric.getGauge().getDataPointsList();
      case SUM -> metric.getSum().getDataPointsList();
      case HISTOGRAM -> metric.getHistogram().getDataPointsList();
      case EXPONENTIAL_HISTOGRAM -> metric.getExponentialHistogram().getDataPointsList();
      case SUMMARY -> metric.getSummary().getDataPointsList();
      case DATA_NOT_SET -> List.of();
    };
  }

  private static List<KeyValue> attributes(Message item) {
    return switch (item) {
      case Span span -> span.getAttributesList();
      case NumberDataPoint point -> point.getAttributesList();
      case LogRecord record -> record.getAttributesList();
      default -> List.of();
    };
  }

  private static long id(List<KeyValue> attributes) {
    return attributes.stream()
        .filter(a -> a.getKey().equals(ID))
        .mapToLong(a -> a.getValue().getIntValue())
        .findFirst()
        .orElse(-1);
  }

  private static Message item(Kind kind, long id) {
    return switch (kind) {
      case TRACES -> span(id);
      case METRICS -> point(id);
      case LOGS -> record(id);
    };
  }

  private static ExportTraceServiceRequest traces(
      Resource resource, InstrumentationScope scope, long first, int count) {
    ScopeSpans.Builder spans = ScopeSpans.newBuilder().setScope(scope);
    for (long id = first; id < first + count; id++) {
      spans.addSpans(span(id));
    }
    return ExportTraceServiceRequest.newBuilder()
        .addResourceSpans(ResourceSpans.newBuilder().setResource(resource).addScopeSpans(spans))
        .build();
  }

  private static ExportMetricsServiceRequest metrics(
      Resource resource, InstrumentationScope scope, long first, int count) {
    Sum.Builder sum =
        Sum.newBuilder()
            .setIsMonotonic(true)
            .setAggregationTemporality(AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE);
    for (long id = first; id < first + count; id++) {
      sum.addDataPoints(point(id));
    }
    Metric metric = Metric.newBuilder().setName("work.done").setUnit("{job}").setSum(sum).build();
    return ExportMetricsServiceRequest.newBuilder()
        .addResourceMetrics(
            ResourceMetrics.newBuilder()
                .setResource(resource)
                .addScopeMetrics(ScopeMetrics.newBuilder().setScope(scope).addMetrics(metric)))
        .build();
  }

  private static ExportLogsServiceRequest logs(
      Resource resource, InstrumentationScope scope, long first, int count) {
    ScopeLogs.Builder logs = ScopeLogs.newBuilder().setScope(scope);
    for (long id = first; id < first + count; id++) {
      logs.addLogRecords(record(id));
    }
    return ExportLogsServiceRequest.newBuilder()
        .addResourceLogs(ResourceLogs.newBuilder().setResource(resource).addScopeLogs(logs))
        .build();
  }

  private static Span span(long id) {
    return Span.newBuilder()
        .setTraceId(bytes(0x5eed, id))
        .setSpanId(ByteString.copyFrom(ByteBuffer.allocate(8).putLong(id + 1).flip()))
        .setName("work")
        .setKind(Span.SpanKind.SPAN_KIND_SERVER)
        .setStartTimeUnixNano(BASE_NANOS + id)
        .setEndTimeUnixNano(BASE_NANOS + id + 1_000_000)
        .addAttributes(number(ID, id))
        .addAttributes(text("http.request.method", "GET"))
        .addAttributes(text("url.path", "/jobs/" + id + "/" + PADDING))
        .setStatus(Status.newBuilder().setCode(Status.StatusCode.STATUS_CODE_OK))
        .build();
  }

  private static NumberDataPoint point(long id) {
    return NumberDataPoint.newBuilder()
        .addAttributes(number(ID, id))
        .setStartTimeUnixNano(BASE_NANOS)
        .setTimeUnixNano(BASE_NANOS + id)
        .setAsInt(id * 31)
        .build();
  }

  private static LogRecord record(long id) {
    return LogRecord.newBuilder()
        .setTimeUnixNano(BASE_NANOS + id)
        .setObservedTimeUnixNano(BASE_NANOS + id + 1)
        .setSeverityNumber(SeverityNumber.SEVERITY_NUMBER_INFO)
        .setBody(AnyValue.newBuilder().setStringValue("job " + id + " done " + PADDING))
        .addAttributes(number(ID, id))
        .setTraceId(bytes(0x5eed, id))
        .build();
  }

  private static ByteString bytes(long high, long low) {
    return ByteString.copyFrom(ByteBuffer.allocate(16).putLong(high).putLong(low).flip());
  }

  private static KeyValue text(String key, String value) {
    return KeyValue.newBuilder()
        .setKey(key)
        .setValue(AnyValue.newBuilder().setStringValue(value))
        .build();
  }

  private static KeyValue number(String key, long value) {
    return KeyValue.newBuilder()
        .setKey(key)
        .setValue(AnyValue.newBuilder().setIntValue(value))
        .build();
  }
}
