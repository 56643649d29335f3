package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.ArrayValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RequestScannerTest {
  private final RequestScanner scanner = new RequestScanner();

  // conformance: W-10, W-12
  @Test
  void resource_twoWithUnknownFieldsBetween_sliced() throws MalformedRequestException {
    byte[] first = spans("a", 2);
    byte[] second = spans("b", 3);
    byte[] unknown = unknown(99);

    scanner.scan(
        Signal.TRACES, Requests.surrounded(concat(unknown, first, unknown(7), second, unknown)));

    assertThat(scanner.items()).isEqualTo(5);
    assertThat(scanner.resources()).isEqualTo(2);
    assertThat(scanner.items(0)).isEqualTo(2);
    assertThat(scanner.items(1)).isEqualTo(3);
    assertThat(scanner.resource(0).toByteArray()).isEqualTo(first);
    assertThat(scanner.resource(1).toByteArray()).isEqualTo(second);
    assertThat(scanner.otherFields().toByteArray()).isEqualTo(concat(unknown, unknown(7), unknown));
    assertThat(scanner.attribute(1, "service.name")).isEqualTo("b");
  }

  @Test
  void unknownFields_none_isEmpty() throws MalformedRequestException {
    scanner.scan(Signal.TRACES, Slice.of(spans("a", 1)));

    assertThat(scanner.otherFields()).isSameAs(Slice.EMPTY);
  }

  @Test
  void resource_indexOutOfRange_throws() throws MalformedRequestException {
    scanner.scan(Signal.TRACES, Slice.of(spans("a", 1)));

    assertThatThrownBy(() -> scanner.resource(1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> scanner.attribute(1, "k"))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> scanner.items(-1)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  // conformance
  @Test
  void attribute_everyKindOfValue_asText() throws MalformedRequestException {
    scan(
        Resource.newBuilder()
            .addAttributes(attribute("s", AnyValue.newBuilder().setStringValue("été")))
            .addAttributes(attribute("b", AnyValue.newBuilder().setBoolValue(true)))
            .addAttributes(attribute("i", AnyValue.newBuilder().setIntValue(-7)))
            .addAttributes(attribute("d", AnyValue.newBuilder().setDoubleValue(1.5)))
            .addAttributes(attribute("nan", AnyValue.newBuilder().setDoubleValue(Double.NaN)))
            .addAttributes(
                attribute("a", AnyValue.newBuilder().setArrayValue(ArrayValue.newBuilder())))
            .addAttributes(attribute("x", AnyValue.newBuilder().setBytesValue(ByteString.EMPTY)))
            .addAttributes(attribute("n", AnyValue.newBuilder()))
            .addAttributes(attribute("twice", AnyValue.newBuilder().setStringValue("first")))
            .addAttributes(attribute("twice", AnyValue.newBuilder().setStringValue("last"))));

    assertThat(scanner.attribute(0, "s")).isEqualTo("été");
    assertThat(scanner.attribute(0, "b")).isEqualTo("true");
    assertThat(scanner.attribute(0, "i")).isEqualTo("-7");
    assertThat(scanner.attribute(0, "d")).isEqualTo("1.5");
    assertThat(scanner.attribute(0, "nan")).isEqualTo("NaN");
    assertThat(scanner.attribute(0, "a")).isNull();
    assertThat(scanner.attribute(0, "x")).isNull();
    assertThat(scanner.attribute(0, "n")).isNull();
    assertThat(scanner.attribute(0, "absent")).isNull();
    assertThat(scanner.attribute(0, "twice")).isEqualTo("last");
  }

  /** V06: the resource twice, around scope_spans; V49, V50: value and key twice. */
  // conformance: W-11, W-34, W-36
  @ParameterizedTest
  @CsvSource({
    "0a6b0a150a130a0c736572766963652e6e616d6512030a01611221121f0a10000102030405060708090a0b0c0d0e0f"
        + "120801020304050607082a01780a0c0a0a0a026b3212040a0276321221121f0a10000102030405060708090a"
        + "0b0c0d0e0f120801020304050607082a0179, k2, v2",
    "0a3f0a1a0a180a0c736572766963652e6e616d6512030a016112030a01621221121f0a10000102030405060708090a"
        + "0b0c0d0e0f120801020304050607082a0178, service.name, b",
    "0a3d0a180a1612030a01610a01780a0c736572766963652e6e616d651221121f0a10000102030405060708090a0b0c"
        + "0d0e0f120801020304050607082a0178, service.name, a"
  })
  void attribute_oddOrder_asProtobufMerges(String hex, String key, String value)
      throws MalformedRequestException {
    scanner.scan(Signal.TRACES, Requests.surrounded(HexFormat.of().parseHex(hex)));

    assertThat(scanner.attribute(0, key)).isEqualTo(value);
  }

  // conformance: W-31, W-32, W-39, W-40
  @ParameterizedTest
  @CsvSource({
    "0a7f00, 'byte 0: field 1 of ExportTraceServiceRequest takes 127 bytes (expected at most 1)'",
    "0a0212ff, 'byte 3: length is cut off'",
    "0affffffff0f, 'byte 1: length 4294967295 (expected < 2^31)'",
    "0aba8080808000, 'byte 1: length is too large (expected at most 32 bits in 5 bytes)'",
    "8a808080800100, 'byte 0: tag is too large (expected at most 32 bits in 5 bytes)'",
    "0a0412021207, 'byte 4: field 2 of ScopeSpans takes 7 bytes (expected at most 0)'",
    "0a0612041202390 0, 'byte 6: field 7 of Span takes 8 bytes (expected at most 1)'",
    "0a041a02c328, 'byte 2: field 3 of ResourceSpans is not valid UTF-8'",
    "2c, 'byte 0: end of group 5 that is not open here'",
    "2b, 'byte 1: group 5 is not closed'",
    "0e01, 'byte 0: invalid tag 14 in ExportTraceServiceRequest'",
    "00, 'byte 0: invalid tag 0 in ExportTraceServiceRequest'",
    "9806ffffffffffffffffff8101, 'byte 2: varint is longer than 10 bytes'",
    "9806ff, 'byte 2: varint is cut off'",
  })
  void scan_malformed_saysWhatAndWhere(String hex, String message) {
    byte[] request = HexFormat.of().parseHex(hex.replace(" ", ""));

    assertThatThrownBy(() -> scanner.scan(Signal.TRACES, Requests.surrounded(request)))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessage("traces request, " + message);
    assertThat(scanner.items()).isZero();
    assertThat(scanner.resources()).isZero();
  }

  // conformance: W-31, W-46
  @Test
  void scan_groupsNestedToTheLimit_acceptedAndOneMoreRefused() throws MalformedRequestException {
    scanner.scan(Signal.LOGS, Slice.of(groups(100)));

    assertThatThrownBy(() -> scanner.scan(Signal.LOGS, Slice.of(groups(101))))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessage("logs request, byte 100: nested too deep (expected at most 100 levels)");
  }

  @Test
  void scan_moreResourcesThanIndexed_refused() throws MalformedRequestException {
    byte[] request = new byte[2 * (RequestScanner.MAX_RESOURCES + 1)];
    for (int i = 0; i < request.length; i += 2) {
      request[i] = 0x0a;
    }

    scanner.scan(Signal.TRACES, new Slice(request, 0, request.length - 2));
    assertThat(scanner.resources()).isEqualTo(RequestScanner.MAX_RESOURCES);

    assertThatThrownBy(() -> scanner.scan(Signal.TRACES, Slice.of(request)))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessage("traces request, byte 2097152: too many resources (expected at most 1048576)");
  }

  /** A prefix is a request only if it ends between top-level fields. */
  // conformance: W-41
  @ParameterizedTest
  @EnumSource(Signal.class)
  void scan_truncatedAnywhere_validOnlyBetweenTopLevelFields(Signal signal) {
    WireGenerator generator = new WireGenerator(new Random(41));
    ByteArrayOutputStream request = new ByteArrayOutputStream();
    Set<Integer> boundaries = new TreeSet<>(Set.of(0));
    while (request.size() < 3_000) {
      byte[] piece = generator.request(signal);
      FieldCursor fields = new FieldCursor().over(piece, 0, piece.length);
      if (!isValid(signal, piece)) {
        continue;
      }
      while (fields.next()) {
        boundaries.add(request.size() + fields.end());
      }
      request.writeBytes(piece);
    }

    Set<Integer> valid = new TreeSet<>();
    for (int length = 0; length <= request.size(); length++) {
      if (isValid(signal, Arrays.copyOf(request.toByteArray(), length))) {
        valid.add(length);
      }
    }

    assertThat(valid).isEqualTo(boundaries);
  }

  // conformance: W-01, W-02, W-07
  @ParameterizedTest
  @EnumSource(Signal.class)
  void items_concatenated_areTheSum(Signal signal) throws MalformedRequestException {
    WireGenerator generator = new WireGenerator(new Random(7));
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    ByteArrayOutputStream unknown = new ByteArrayOutputStream();
    int items = 0;
    int resources = 0;
    for (int i = 0; i < 200; i++) {
      byte[] request = generator.request(signal);
      if (isValid(signal, request)) {
        all.writeBytes(request);
        items += scanner.items();
        resources += scanner.resources();
        unknown.writeBytes(scanner.otherFields().toByteArray());
      }
    }

    scanner.scan(signal, Slice.of(all.toByteArray()));

    assertThat(scanner.items()).isEqualTo(items).isPositive();
    assertThat(scanner.resources()).isEqualTo(resources);
    assertThat(scanner.otherFields().toByteArray()).isEqualTo(unknown.toByteArray());
  }

  private boolean isValid(Signal signal, byte[] request) {
    try {
      scanner.scan(signal, Slice.of(request));
      return true;
    } catch (MalformedRequestException e) {
      return false;
    }
  }

  private void scan(Resource.Builder resource) throws MalformedRequestException {
    scanner.scan(
        Signal.TRACES,
        Slice.of(
            ExportTraceServiceRequest.newBuilder()
                .addResourceSpans(ResourceSpans.newBuilder().setResource(resource))
                .build()
                .toByteArray()));
  }

  private static KeyValue attribute(String key, AnyValue.Builder value) {
    return KeyValue.newBuilder().setKey(key).setValue(value).build();
  }

  private static byte[] spans(String service, int count) {
    ScopeSpans.Builder scope = ScopeSpans.newBuilder();
    for (int i = 0; i < count; i++) {
      scope.addSpans(Span.newBuilder().setName("span " + i));
    }
    return ExportTraceServiceRequest.newBuilder()
        .addResourceSpans(
            ResourceSpans.newBuilder()
                .setResource(
                    Resource.newBuilder()
                        .addAttributes(
                            attribute(
                                "service.name", AnyValue.newBuilder().setStringValue(service))))
                .addScopeSpans(scope))
        .build()
        .toByteArray();
  }

  private static byte[] unknown(int number) {
    return UnknownFieldSet.newBuilder()
        .addField(number, UnknownFieldSet.Field.newBuilder().addVarint(number).build())
        .build()
        .toByteArray();
  }

  private static byte[] groups(int depth) {
    byte[] request = new byte[2 * depth];
    Arrays.fill(request, 0, depth, (byte) (5 << 3 | WireSchema.GROUP_START));
    Arrays.fill(request, depth, 2 * depth, (byte) (5 << 3 | WireSchema.GROUP_END));
    return request;
  }

  private static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}
