package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.InstrumentationScope;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import io.spillway.tests.harness.CapturedRequest;
import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Keep;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.Flattened;
import io.spillway.tests.harness.GrpcWire;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.OtlpJson;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Wire;
import io.spillway.tests.harness.Yaml;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the relay does not understand it carries; what it translates it translates faithfully. */
@Timeout(300)
class FidelityIT {

  private static final Path EXAMPLES =
      Path.of(System.getProperty("spillway.examples", "src/test/resources/otlp-json"));

  @RegisterExtension final Lab lab = new Lab();

  @Test
  void json_examples_arriveAsTheReferenceDecodesThem() throws Exception {
    CapturingSink sink = lab.sink(Protocol.GRPC, Keep.REQUESTS);
    RelayProcess relay = lab.relay(Yaml.toOneSink(Yaml.anywhere(lab.directory()), sink));
    List<Path> examples = examples();
    assertThat(examples).as("files in %s", EXAMPLES).isNotEmpty();

    for (Path example : examples) {
      String json = Files.readString(example);
      Kind kind = OtlpJson.kind(json);
      List<Flattened> expected = Flattened.of(OtlpJson.decode(json));
      assertThat(expected).as("items in %s", example).isNotEmpty();
      int before = Flattened.all(sink.requests(kind)).size();

      HttpResponse<String> response = postJson(relay, kind, json);

      assertThat(response.statusCode()).as("%s: %s", example, response.body()).isEqualTo(200);
      assertThat(response.headers().firstValue("Content-Type")).hasValue("application/json");
      assertThat(response.body()).isEqualTo("{}");
      await()
          .untilAsserted(
              () -> {
                List<Flattened> all = Flattened.all(sink.requests(kind));
                assertThat(all.subList(before, all.size()))
                    .as("%s", example)
                    .containsExactlyElementsOf(expected);
              });
    }
  }

  // conformance: R-06, W-06, W-07, W-30
  @Test
  void protobuf_unknownFieldsAtEveryLevel_arriveByteForByte() {
    CapturingSink sink = lab.sink(Protocol.HTTP, Keep.REQUESTS);
    RelayProcess relay = lab.relay(Yaml.toOneSink(Yaml.anywhere(lab.directory()), sink));
    ByteString request = fromTomorrow().toByteString();

    try (Wire wire = new GrpcWire(relay::grpc, Encoding.ZSTD)) {
      Wire.Reply reply = wire.send(Kind.TRACES, request.toByteArray());
      assertThat(reply.acknowledged()).as(reply.status()).isTrue();
    }

    await().until(() -> !sink.requests().isEmpty());
    assertThat(sink.requests()).extracting(CapturedRequest::body).containsExactly(request);
  }

  private static List<Path> examples() throws IOException {
    try (var files = Files.list(EXAMPLES)) {
      return files.filter(file -> file.toString().endsWith(".json")).sorted().toList();
    }
  }

  private static HttpResponse<String> postJson(RelayProcess relay, Kind kind, String json)
      throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create("http://" + relay.http() + kind.httpPath()))
              .header("Content-Type", "application/json; charset=utf-8")
              .POST(HttpRequest.BodyPublishers.ofString(json))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }

  private static Message fromTomorrow() {
    AnyValue value = AnyValue.newBuilder().setStringValue("v").setUnknownFields(unknown()).build();
    KeyValue attribute =
        KeyValue.newBuilder().setKey("k").setValue(value).setUnknownFields(unknown()).build();
    Span span =
        Span.newBuilder()
            .setTraceId(ByteString.copyFromUtf8("0123456789abcdef"))
            .setSpanId(ByteString.copyFromUtf8("01234567"))
            .setName("n")
            .addAttributes(attribute)
            .addEvents(Span.Event.newBuilder().setName("e").setUnknownFields(unknown()))
            .addLinks(Span.Link.newBuilder().setFlags(1).setUnknownFields(unknown()))
            .setStatus(Status.newBuilder().setMessage("m").setUnknownFields(unknown()))
            .setUnknownFields(unknown())
            .build();
    ScopeSpans scope =
        ScopeSpans.newBuilder()
            .setScope(InstrumentationScope.newBuilder().setName("s").setUnknownFields(unknown()))
            .addSpans(span)
            .setUnknownFields(unknown())
            .build();
    ResourceSpans resource =
        ResourceSpans.newBuilder()
            .setResource(Resource.newBuilder().addAttributes(attribute).setUnknownFields(unknown()))
            .addScopeSpans(scope)
            .setUnknownFields(unknown())
            .build();
    return ExportTraceServiceRequest.newBuilder()
        .addResourceSpans(resource)
        .setUnknownFields(unknown())
        .build();
  }

  /** Fields of every wire type that no OTLP message has. */
  private static UnknownFieldSet unknown() {
    return UnknownFieldSet.newBuilder()
        .addField(900, UnknownFieldSet.Field.newBuilder().addVarint(-1).build())
        .addField(901, UnknownFieldSet.Field.newBuilder().addFixed64(1).build())
        .addField(
            902,
            UnknownFieldSet.Field.newBuilder()
                .addLengthDelimited(ByteString.copyFromUtf8("tomorrow"))
                .build())
        .addField(903, UnknownFieldSet.Field.newBuilder().addFixed32(2).build())
        .build();
  }
}
