package io.spillway.tests.harness;

import com.google.protobuf.Message;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.InstrumentationScope;
import io.opentelemetry.proto.resource.v1.Resource;
import java.util.ArrayList;
import java.util.List;

/**
 * Something that was sent, with all that belongs to it, whatever batch it travelled in.
 *
 * @param item a span, a whole metric or a log record
 */
public record Flattened(
    Resource resource,
    String resourceSchema,
    InstrumentationScope scope,
    String scopeSchema,
    Message item) {

  /** Everything in some requests, in order. */
  public static List<Flattened> all(List<CapturedRequest> requests) {
    List<Flattened> all = new ArrayList<>();
    requests.forEach(request -> all.addAll(of(request.message())));
    return all;
  }

  /** Everything in a decoded export request, in order. */
  public static List<Flattened> of(Message request) {
    return switch (request) {
      case ExportTraceServiceRequest traces -> spans(traces);
      case ExportMetricsServiceRequest metrics -> metrics(metrics);
      case ExportLogsServiceRequest logs -> records(logs);
      default -> throw new IllegalArgumentException(request.getClass().getName());
    };
  }

  private static List<Flattened> spans(ExportTraceServiceRequest request) {
    List<Flattened> all = new ArrayList<>();
    for (var r : request.getResourceSpansList()) {
      for (var s : r.getScopeSpansList()) {
        s.getSpansList()
            .forEach(
                item ->
                    all.add(
                        new Flattened(
                            r.getResource(),
                            r.getSchemaUrl(),
                            s.getScope(),
                            s.getSchemaUrl(),
                            item)));
      }
    }
    return all;
  }

  private static List<Flattened> metrics(ExportMetricsServiceRequest request) {
    List<Flattened> all = new ArrayList<>();
    for (var r : request.getResourceMetricsList()) {
      for (var s : r.getScopeMetricsList()) {
        s.getMetricsList()
            .forEach(
                item ->
                    all.add(
                        new Flattened(
                            r.getResource(),
                            r.getSchemaUrl(),
                            s.getScope(),
                            s.getSchemaUrl(),
                            item)));
      }
    }
    return all;
  }

  private static List<Flattened> records(ExportLogsServiceRequest request) {
    List<Flattened> all = new ArrayList<>();
    for (var r : request.getResourceLogsList()) {
      for (var s : r.getScopeLogsList()) {
        s.getLogRecordsList()
            .forEach(
                item ->
                    all.add(
                        new Flattened(
                            r.getResource(),
                            r.getSchemaUrl(),
                            s.getScope(),
                            s.getSchemaUrl(),
                            item)));
      }
    }
    return all;
  }
}
