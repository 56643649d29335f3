package io.spillway.otlp.wire;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.List;

/**
 * A decoded request as a list of its smallest pieces, each with the messages around it: what must
 * not change however a request is cut.
 */
final class FlatRequest {
  private FlatRequest() {}

  /**
   * Each entry: resource record, scope record, item or metric, data message, data point; each
   * without its children, and cut short where there are none.
   */
  static List<List<Message>> of(Message request) {
    List<List<Message>> flat = new ArrayList<>();
    descend(request, children(request), List.of(), flat);
    return flat;
  }

  private static void descend(
      Message parent, FieldDescriptor field, List<Message> around, List<List<Message>> flat) {
    for (int i = 0; i < parent.getRepeatedFieldCount(field); i++) {
      Message child = (Message) parent.getRepeatedField(field, i);
      FieldDescriptor grandchildren = children(child);
      if (grandchildren == null) {
        flat.add(append(around, child));
      } else if (grandchildren.isRepeated()) {
        cut(child, grandchildren, around, flat);
      } else {
        Message data = (Message) child.getField(grandchildren);
        Message metric = child.toBuilder().clearField(grandchildren).build();
        cut(data, children(data), append(around, metric), flat);
      }
    }
  }

  private static void cut(
      Message message, FieldDescriptor field, List<Message> around, List<List<Message>> flat) {
    List<Message> path = append(around, message.toBuilder().clearField(field).build());
    if (message.getRepeatedFieldCount(field) == 0) {
      flat.add(path);
    }
    descend(message, field, path, flat);
  }

  /** The field that a message may be cut at; for a metric, the data message it has. */
  private static FieldDescriptor children(Message message) {
    return switch (message.getDescriptorForType().getName()) {
      case "ExportTraceServiceRequest",
          "ExportMetricsServiceRequest",
          "ExportLogsServiceRequest",
          "Gauge",
          "Sum",
          "Histogram",
          "ExponentialHistogram",
          "Summary" ->
          message.getDescriptorForType().findFieldByNumber(1);
      case "ResourceSpans",
          "ResourceMetrics",
          "ResourceLogs",
          "ScopeSpans",
          "ScopeMetrics",
          "ScopeLogs" ->
          message.getDescriptorForType().findFieldByNumber(2);
      case "Metric" ->
          message.getOneofFieldDescriptor(message.getDescriptorForType().getOneofs().getFirst());
      default -> null;
    };
  }

  private static List<Message> append(List<Message> list, Message message) {
    List<Message> longer = new ArrayList<>(list);
    longer.add(message);
    return longer;
  }
}
