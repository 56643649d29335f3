package io.spillway.otlp.json;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.spillway.otlp.Signal;
import io.spillway.otlp.json.MessageType.Field;
import io.spillway.otlp.json.MessageType.Presence;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tools.jackson.core.json.JsonFactory;

class OtlpSchemaTest {

  private final Set<String> compared = new HashSet<>();

  @Test
  void table_everyMessage_equalsTheDescriptors() {
    OtlpSchema schema = new OtlpSchema(new JsonFactory());

    compare(schema.request(Signal.TRACES), ExportTraceServiceRequest.getDescriptor());
    compare(schema.request(Signal.METRICS), ExportMetricsServiceRequest.getDescriptor());
    compare(schema.request(Signal.LOGS), ExportLogsServiceRequest.getDescriptor());

    assertThat(compared).hasSize(34);
  }

  private void compare(MessageType type, Descriptor descriptor) {
    assertThat(type.name()).isEqualTo(descriptor.getName());
    if (!compared.add(descriptor.getFullName())) {
      return;
    }
    assertThat(type.fields()).hasSameSizeAs(descriptor.getFields());
    for (Field field : type.fields()) {
      FieldDescriptor expected = descriptor.findFieldByNumber(field.number());
      assertThat(expected).as("%s.%s", type.name(), field.key()).isNotNull();
      assertThat(field.key()).isEqualTo(expected.getJsonName());
      assertThat(field.kind()).as(expected.getFullName()).isEqualTo(kind(expected));
      assertThat(field.repeated()).as(expected.getFullName()).isEqualTo(expected.isRepeated());
      assertThat(field.packed()).as(expected.getFullName()).isEqualTo(expected.isPacked());
      assertThat(field.presence()).as(expected.getFullName()).isEqualTo(presence(expected));
      if (field.type() != null) {
        compare(field.type(), expected.getMessageType());
      }
    }
  }

  private static FieldKind kind(FieldDescriptor field) {
    if (field.getName().equals("trace_id")) {
      return FieldKind.TRACE_ID;
    }
    if (field.getName().endsWith("span_id")) {
      return FieldKind.SPAN_ID;
    }
    return FieldKind.valueOf(field.getType().name().toUpperCase(Locale.ROOT));
  }

  private static Presence presence(FieldDescriptor field) {
    if (field.getRealContainingOneof() != null) {
      return Presence.ONEOF;
    }
    return field.toProto().getProto3Optional() ? Presence.OPTIONAL : Presence.IMPLICIT;
  }
}
