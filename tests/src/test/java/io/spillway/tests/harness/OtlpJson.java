package io.spillway.tests.harness;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A reference decoder of OTLP/JSON: protobuf's own JSON mapping, after the ids were turned from hex
 * into the base64 that it expects (OTLP §JSON Protobuf Encoding).
 */
public final class OtlpJson {

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Set<String> HEX_FIELDS = Set.of("traceId", "spanId", "parentSpanId");

  private OtlpJson() {}

  /** Which kind of telemetry a request holds, by its top-level key. */
  public static Kind kind(String json) {
    JsonNode root = JSON.readTree(json);
    if (root.has("resourceSpans")) {
      return Kind.TRACES;
    }
    return root.has("resourceMetrics") ? Kind.METRICS : Kind.LOGS;
  }

  /** Decodes a request; unknown fields are left out. */
  public static Message decode(String json) throws InvalidProtocolBufferException {
    JsonNode root = JSON.readTree(json);
    hexToBase64(root);
    Message.Builder builder =
        switch (kind(json)) {
          case TRACES -> ExportTraceServiceRequest.newBuilder();
          case METRICS -> ExportMetricsServiceRequest.newBuilder();
          case LOGS -> ExportLogsServiceRequest.newBuilder();
        };
    JsonFormat.parser().ignoringUnknownFields().merge(root.toString(), builder);
    return builder.build();
  }

  private static void hexToBase64(JsonNode node) {
    if (node instanceof ObjectNode object) {
      for (String field : HEX_FIELDS) {
        if (object.has(field)) {
          byte[] id = HexFormat.of().parseHex(object.get(field).asString());
          object.put(field, Base64.getEncoder().encodeToString(id));
        }
      }
    }
    node.forEach(OtlpJson::hexToBase64);
  }
}
