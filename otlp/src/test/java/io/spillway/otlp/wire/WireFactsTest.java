package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.ArrayValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.common.v1.KeyValueList;
import io.opentelemetry.proto.logs.v1.ResourceLogs;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.TracesData;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the relay relies on, or promises, about OTLP on the wire, fact by fact. */
@Timeout(60)
class WireFactsTest {
  /** A stack in which a parser that recurses comes to no good. */
  private static final long SMALL_STACK_BYTES = 256 << 10;

  private static final int DEEP = 200_000;

  private final RequestScanner scanner = new RequestScanner();

  // conformance: W-01, W-02
  @ParameterizedTest
  @EnumSource(value = Signal.class, names = "PROFILES", mode = EnumSource.Mode.EXCLUDE)
  void concatenation_ofRequests_isTheMergedRequest(Signal signal) throws Exception {
    WireGenerator generator = new WireGenerator(new Random(11));
    for (int round = 0; round < 100; round++) {
      byte[] first = valid(generator, signal);
      byte[] second = valid(generator, signal);

      Message merged = Requests.parse(signal, concat(first, second));

      assertThat(merged)
          .isEqualTo(
              Requests.parse(signal, first).toBuilder()
                  .mergeFrom(Requests.parse(signal, second))
                  .build());
    }
  }

  // conformance: W-04
  @Test
  void scan_tracesData_isReadLikeARequest() throws Exception {
    byte[] data =
        TracesData.newBuilder()
            .addResourceSpans(resourceSpans(Span.newBuilder().setName("a").build()))
            .build()
            .toByteArray();

    scanner.scan(Signal.TRACES, Slice.of(data));

    assertThat(scanner.items()).isEqualTo(1);
    assertThat(ExportTraceServiceRequest.parseFrom(data).getResourceSpansCount()).isEqualTo(1);
  }

  // conformance: W-11, W-36
  @Test
  void attribute_resourceBehindItsSpans_isFound() throws Exception {
    ByteString spans =
        ResourceSpans.newBuilder()
            .addScopeSpans(ScopeSpans.newBuilder().addSpans(Span.newBuilder().setName("a")))
            .build()
            .toByteString();
    ByteString resource =
        ResourceSpans.newBuilder().setResource(resource("team", "red")).build().toByteString();

    scanner.scan(Signal.TRACES, Slice.of(Requests.record(1, spans.concat(resource)).toByteArray()));

    assertThat(scanner.attribute(0, "team")).isEqualTo("red");
    assertThat(scanner.items()).isEqualTo(1);
  }

  /** 4bf9… as trace id is kept at 0.194; the marshaller of the Collector writes ids last. */
  // conformance: W-36
  @Test
  void sample_traceIdBehindTheOtherFields_isSampledByIt() throws Exception {
    ByteString rest = Span.newBuilder().setName("n").setFlags(0x303).build().toByteString();
    ByteString id =
        Span.newBuilder()
            .setTraceId(
                ByteString.copyFrom(HexFormat.of().parseHex("4bf92f3577b34da6a3ce929d0e0e4736")))
            .build()
            .toByteString();
    Slice request =
        Slice.of(
            Requests.record(1, Requests.record(2, Requests.record(2, rest.concat(id))))
                .toByteArray());
    scanner.scan(Signal.TRACES, request);

    assertThat(new TraceSampler(20, false, null).sample(request).kept()).isEqualTo(1);
    assertThat(new TraceSampler(19, false, null).sample(request).kept()).isZero();
  }

  // conformance: R-05
  @Test
  void sample_spanThatIsRewritten_keepsAllBitsOfItsFlags() throws Exception {
    Span span =
        Span.newBuilder()
            .setTraceId(
                ByteString.copyFrom(HexFormat.of().parseHex("4bf92f3577b34da6a3ce929d0e0e4736")))
            .setFlags(0xfedc_ba98)
            .addLinks(Span.Link.newBuilder().setFlags(0x8000_0001))
            .build();
    Slice request = Slice.of(traces(span).toByteArray());

    Slice sampled = new TraceSampler(20, false, null).sample(request).request();

    Span left =
        ExportTraceServiceRequest.parseFrom(sampled.toByteArray())
            .getResourceSpans(0)
            .getScopeSpans(0)
            .getSpans(0);
    assertThat(left.getTraceState()).isEqualTo("ot=th:cccd");
    assertThat(left.getFlags()).isEqualTo(0xfedc_ba98);
    assertThat(left.getLinks(0).getFlags()).isEqualTo(0x8000_0001);
  }

  /** Nobody may set both; who reads them finds the key, and the relay changes neither. */
  // conformance
  @Test
  void attribute_keyAndIndexBothSet_keyCounts() throws Exception {
    byte[] request =
        ExportLogsServiceRequest.newBuilder()
            .addResourceLogs(
                ResourceLogs.newBuilder()
                    .setResource(
                        Resource.newBuilder()
                            .addAttributes(
                                KeyValue.newBuilder()
                                    .setKey("team")
                                    .setKeyStrindex(4)
                                    .setValue(AnyValue.newBuilder().setStringValue("red")))
                            .addAttributes(
                                KeyValue.newBuilder()
                                    .setKeyStrindex(5)
                                    .setValue(AnyValue.newBuilder().setStringValue("x")))))
            .build()
            .toByteArray();

    scanner.scan(Signal.LOGS, Slice.of(request));

    assertThat(scanner.attribute(0, "team")).isEqualTo("red");
    assertThat(scanner.resource(0).toByteArray()).isEqualTo(request);
  }

  // conformance: R-10
  @Test
  void attribute_keyTwice_lastWinsAlsoOverTwoResources() throws Exception {
    ByteString record =
        ResourceSpans.newBuilder().setResource(resource("team", "red")).build().toByteString();
    ByteString again =
        ResourceSpans.newBuilder().setResource(resource("team", "blue")).build().toByteString();

    scanner.scan(Signal.TRACES, Slice.of(Requests.record(1, record.concat(again)).toByteArray()));

    assertThat(scanner.attribute(0, "team")).isEqualTo("blue");
  }

  // conformance: R-07
  @Test
  void scan_attributeValuesOfEveryKind_areNoFlaws() throws Exception {
    AnyValue array =
        AnyValue.newBuilder()
            .setArrayValue(
                ArrayValue.newBuilder()
                    .addValues(AnyValue.newBuilder().setStringValue("s"))
                    .addValues(AnyValue.newBuilder().setIntValue(1))
                    .addValues(AnyValue.newBuilder().setBytesValue(ByteString.copyFromUtf8("b")))
                    .addValues(AnyValue.getDefaultInstance()))
            .build();
    Span.Builder span = Span.newBuilder();
    for (AnyValue value :
        List.of(
            array,
            AnyValue.getDefaultInstance(),
            AnyValue.newBuilder().setBytesValue(ByteString.copyFrom(new byte[] {-1})).build(),
            AnyValue.newBuilder()
                .setKvlistValue(
                    KeyValueList.newBuilder()
                        .addValues(KeyValue.newBuilder().setKey("k").setValue(array)))
                .build())) {
      span.addAttributes(KeyValue.newBuilder().setKey("k").setValue(value));
    }

    scanner.inspect(Signal.TRACES, Slice.of(traces(span.build()).toByteArray()));

    assertThat(scanner.items()).isEqualTo(1);
    assertThat(scanner.flaw()).isNull();
  }

  /** We accept it, as protobuf does: it is an unknown field, and is carried as it is. */
  // conformance: W-33
  @Test
  void scan_knownFieldOfAnotherWireType_isUnknownAndNoFlaw() throws Exception {
    byte[] request =
        Requests.record(
                1,
                Requests.record(
                    2,
                    Requests.record(
                        2,
                        ByteString.copyFrom(
                            HexFormat.of().parseHex("09010000000000000028073a00")))))
            .toByteArray();

    scanner.inspect(Signal.TRACES, Slice.of(request));

    assertThat(scanner.items()).isEqualTo(1);
    assertThat(scanner.flaw()).isNull();
    assertThat(ExportTraceServiceRequest.parseFrom(request).toByteArray()).hasSameSizeAs(request);
  }

  /** Bucket counts and bounds, packed and one by one; half a number is not a number. */
  // conformance: W-38
  @ParameterizedTest
  @CsvSource({
    "3a100000000000000000000000000000f03f, true",
    "390000000000000000, true",
    "32080100000000000000, true",
    "310100000000000000, true",
    "3203010000, false",
    "3a0900000000000000f03f00, false"
  })
  void scan_packedOrNot_isReadAndHalfANumberIsMalformed(String point, boolean valid) {
    byte[] request = inPoint(9, point);

    assertThat(isValid(Signal.METRICS, request)).isEqualTo(valid);
    assertThat(parses(request)).isEqualTo(valid);
  }

  // conformance: W-43
  @Test
  void attribute_boolAboveOne_isTrue() throws Exception {
    ByteString value = ByteString.copyFrom(HexFormat.of().parseHex("1002"));
    ByteString attribute =
        KeyValue.newBuilder().setKey("b").build().toByteString().concat(Requests.record(2, value));
    byte[] request =
        Requests.record(1, Requests.record(1, Requests.record(1, attribute))).toByteArray();

    scanner.scan(Signal.TRACES, Slice.of(request));

    assertThat(scanner.attribute(0, "b")).isEqualTo("true");
    assertThat(
            ExportTraceServiceRequest.parseFrom(request)
                .getResourceSpans(0)
                .getResource()
                .getAttributes(0)
                .getValue()
                .getBoolValue())
        .isTrue();
  }

  /** The spans of the old instrumentation_library_spans are carried and not counted. */
  // conformance: W-47
  @Test
  void scan_field1000OfAResource_isUnknown() throws Exception {
    ByteString old =
        Requests.record(
            1000,
            ScopeSpans.newBuilder()
                .addSpans(Span.newBuilder().setName("o"))
                .build()
                .toByteString());
    ByteString now =
        ResourceSpans.newBuilder()
            .addScopeSpans(ScopeSpans.newBuilder().addSpans(Span.newBuilder().setName("n")))
            .build()
            .toByteString();
    byte[] request = Requests.record(1, old.concat(now)).toByteArray();

    scanner.scan(Signal.TRACES, Slice.of(request));

    assertThat(scanner.items()).isEqualTo(1);
    assertThat(scanner.resource(0).toByteArray()).isEqualTo(request);
  }

  // conformance: W-44
  @Test
  void scan_nulInText_isValid() throws Exception {
    scanner.inspect(
        Signal.TRACES,
        Slice.of(traces(Span.newBuilder().setName("a\u0000b").build()).toByteArray()));

    assertThat(scanner.flaw()).isNull();
  }

  /** 200 000 levels of arrays, maps, or groups: an answer, on a thread with a small stack. */
  // conformance: W-46
  @ParameterizedTest
  @ValueSource(strings = {"array", "kvlist", "group"})
  void scan_nestedWithoutMeasure_isMalformedOnASmallStack(String kind) throws Exception {
    byte[] request = nested(kind, DEEP);
    AtomicReference<Throwable> thrown = new AtomicReference<>();

    Thread thread =
        new Thread(
            null,
            () -> {
              try {
                scanner.inspect(Signal.TRACES, Slice.of(request));
              } catch (Throwable e) {
                thrown.set(e);
              }
            },
            "small stack",
            SMALL_STACK_BYTES);
    thread.start();
    thread.join();

    assertThat(thrown.get())
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageContaining("nested too deep (expected at most 100 levels)");
    assertThat(isValid(Signal.TRACES, nested(kind, 10))).isTrue();
  }

  /** In every place where a number can stand: as a tag, as a length, and as a value. */
  // conformance: W-39
  @ParameterizedTest
  @ValueSource(
      strings = {
        "ffffffffffffffffffff01",
        "0affffffffffffffffffff01",
        "9806ffffffffffffffffffff01",
        "0a0e120c9806ffffffffffffffffffff01"
      })
  void scan_varintOfElevenBytes_isMalformed(String hex) {
    assertThatThrownBy(() -> scanner.inspect(Signal.TRACES, Slice.of(HexFormat.of().parseHex(hex))))
        .isInstanceOf(MalformedRequestException.class);
    assertThat(scanner.items()).isZero();
  }

  private static byte[] nested(String kind, int levels) {
    if (kind.equals("group")) {
      byte[] groups = new byte[2 * levels];
      Arrays.fill(groups, 0, levels, (byte) (5 << 3 | WireSchema.GROUP_START));
      Arrays.fill(groups, levels, 2 * levels, (byte) (5 << 3 | WireSchema.GROUP_END));
      return groups;
    }
    // From the inside out: each level is a tag and a length in front of what is there.
    List<Integer> tags = kind.equals("array") ? List.of(0x2a, 0x0a) : List.of(0x32, 0x0a, 0x12);
    ArrayList<Byte> reversed = new ArrayList<>();
    for (int level = 0; level < levels; level++) {
      for (int i = tags.size() - 1; i >= 0; i--) {
        wrap(reversed, tags.get(i));
      }
    }
    for (int tag : new int[] {0x12, 0x0a, 0x0a, 0x0a}) {
      wrap(reversed, tag);
    }
    byte[] bytes = new byte[reversed.size()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = reversed.get(bytes.length - 1 - i);
    }
    return bytes;
  }

  private static void wrap(List<Byte> reversed, int tag) {
    int length = reversed.size();
    List<Byte> varint = new ArrayList<>();
    for (; length > 0x7f; length >>>= 7) {
      varint.add((byte) (length | 0x80));
    }
    varint.add((byte) length);
    reversed.addAll(varint.reversed());
    reversed.add((byte) tag);
  }

  private boolean isValid(Signal signal, byte[] request) {
    try {
      scanner.scan(signal, Slice.of(request));
      return true;
    } catch (MalformedRequestException e) {
      return false;
    }
  }

  private static boolean parses(byte[] metrics) {
    try {
      var _ = ExportMetricsServiceRequest.parseFrom(metrics);
      return true;
    } catch (InvalidProtocolBufferException e) {
      return false;
    }
  }

  private byte[] valid(WireGenerator generator, Signal signal) {
    byte[] request = generator.request(signal);
    while (!isValid(signal, request)) {
      request = generator.request(signal);
    }
    return request;
  }

  private static byte[] inPoint(int data, String point) {
    ByteString bytes = ByteString.copyFrom(HexFormat.of().parseHex(point));
    ByteString metric = Requests.record(data, Requests.record(1, bytes));
    return Requests.record(1, Requests.record(2, Requests.record(2, metric))).toByteArray();
  }

  private static byte[] concat(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private static Resource resource(String key, String value) {
    return Resource.newBuilder()
        .addAttributes(
            KeyValue.newBuilder().setKey(key).setValue(AnyValue.newBuilder().setStringValue(value)))
        .build();
  }

  private static ResourceSpans resourceSpans(Span span) {
    return ResourceSpans.newBuilder().addScopeSpans(ScopeSpans.newBuilder().addSpans(span)).build();
  }

  private static ExportTraceServiceRequest traces(Span span) {
    return ExportTraceServiceRequest.newBuilder().addResourceSpans(resourceSpans(span)).build();
  }
}
