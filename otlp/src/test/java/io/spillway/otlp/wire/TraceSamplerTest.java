package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import io.spillway.otlp.Slice;
import io.spillway.otlp.wire.TraceSampler.Sampled;
import java.time.Duration;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TraceSamplerTest {
  private static final String DROPPED = "dropped";

  /** Percentage, last 7 bytes of the trace id, tracestate, what comes of it. */
  @ParameterizedTest
  @CsvSource({
    // the boundary
    "50, 80000000000000, '', ot=th:8",
    "50, 7fffffffffffff, '', dropped",
    "50, 7fffffffffffff, ot=rv:80000000000000, ot=th:8;rv:80000000000000",
    "50, 80000000000000, ot=rv:7fffffffffffff, dropped",
    // sampled before: the threshold is only ever raised
    "12.5, e0000000000000, ot=th:8, ot=th:e",
    "87.5, e0000000000000, ot=th:8, ot=th:8",
    "50, e0000000000000, ot=th:8000, ot=th:8000",
    "6.25, f0000000000000, ot=th:0, ot=th:f",
    "6.25, f0000000000000, '', ot=th:f",
    "25, bfffffffffffff, ot=th:8, dropped",
    // a threshold that contradicts the randomness
    "50, 90000000000000, ot=th:c, ''",
    "50, 90000000000000, 'ot=th:c;x:1,a=b', 'ot=x:1,a=b'",
    "50, 70000000000000, ot=th:c, dropped",
    // not the grammar: as if it were not there, and left alone
    "50, 90000000000000, ot=th:X, ot=th:X",
    "50, 70000000000000, ot=th:X, dropped",
    "50, 90000000000000, 'a=b=c,ot=th:1', 'a=b=c,ot=th:1'",
  })
  void sample_oneSpan_keptWithThreshold(
      double percentage, String randomness, String traceState, String expected) throws Exception {
    Span span = span("0102030405060708ff" + randomness).setTraceState(traceState).build();

    assertThat(traceStateAfter(new TraceSampler(percentage, false, null), span))
        .isEqualTo(expected);
  }

  @Test
  void sample_exampleOfTheSpecification_keptFromItsProbabilityOn() throws Exception {
    Span span = span("4bf92f3577b34da6a3ce929d0e0e4736").build();

    assertThat(traceStateAfter(new TraceSampler(19.4, false, null), span)).startsWith("ot=th:");
    assertThat(traceStateAfter(new TraceSampler(19.3, false, null), span)).isEqualTo(DROPPED);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "00000000000000000000000000000000", "0102030405060708", "01"})
  void sample_noTraceId_kept(String traceId) throws Exception {
    assertThat(traceStateAfter(new TraceSampler(0.001, false, null), span(traceId).build()))
        .isEmpty();
  }

  @Test
  void sample_hundredPercent_isTheSameSlice() {
    Slice request = request(span("01").setTraceState("ot=th:c").build(), span("02").build());

    Sampled sampled = new TraceSampler(100, false, null).sample(request);

    assertThat(sampled.request()).isSameAs(request);
    assertThat(sampled.kept()).isEqualTo(2);
    assertThat(sampled.sampledOut()).isZero();
  }

  @Test
  void sample_nothingChanges_isTheSameSlice() {
    Slice request =
        request(span("0102030405060708ff" + "f0000000000000").setTraceState("ot=th:e").build());

    assertThat(new TraceSampler(50, false, null).sample(request).request()).isSameAs(request);
  }

  @Test
  void sample_errors_keptAsTheyAre() throws Exception {
    TraceSampler sampler = new TraceSampler(1, true, null);
    Span.Builder span = span("0102030405060708ff00000000000001").setTraceState("ot=th:0");

    Span error =
        span.setStatus(Status.newBuilder().setCode(Status.StatusCode.STATUS_CODE_ERROR)).build();
    Span ok = span.setStatus(Status.newBuilder().setCode(Status.StatusCode.STATUS_CODE_OK)).build();

    assertThat(traceStateAfter(sampler, error)).isEqualTo("ot=th:0");
    assertThat(traceStateAfter(sampler, ok)).isEqualTo(DROPPED);
  }

  /** The status merges over its occurrences; the last code wins, an explicit 0 too. */
  // conformance: W-16
  @ParameterizedTest
  @CsvSource({"7a0218027a0312016d, 1", "7a0218027a021800, 0", "7a0218017a021802, 1", "7a021803, 0"})
  void sample_statusTwice_merged(String status, int kept) {
    byte[] dropped = span("0102030405060708ff00000000000001").build().toByteArray();
    ByteString span =
        ByteString.copyFrom(dropped).concat(ByteString.copyFrom(HexFormat.of().parseHex(status)));

    assertThat(new TraceSampler(1, true, null).sample(requestOf(span)).kept()).isEqualTo(kept);
  }

  // conformance: W-15
  @ParameterizedTest
  @CsvSource({
    "100, 2000000100, true",
    "100, 2000000099, false",
    "100, 50, false",
    "100, 0, false",
    "0, 5000000000, false",
    "100, -1, true"
  })
  void sample_slowSpans_kept(long start, long end, boolean kept) throws Exception {
    TraceSampler sampler = new TraceSampler(1, false, Duration.ofSeconds(2));
    Span span =
        span("0102030405060708ff00000000000001")
            .setStartTimeUnixNano(start)
            .setEndTimeUnixNano(end)
            .build();

    assertThat(traceStateAfter(sampler, span)).isEqualTo(kept ? "" : DROPPED);
  }

  // conformance: R-03, W-14
  @Test
  void sample_emptiedEnvelopes_leftOutOthersKept() throws Exception {
    Span dropped = span("0102030405060708ff00000000000001").build();
    Span kept = span("0102030405060708ffffffffffffffff").build();
    ResourceSpans onlyDropped =
        ResourceSpans.newBuilder()
            .addScopeSpans(ScopeSpans.newBuilder().addSpans(dropped))
            .setSchemaUrl("gone")
            .build();
    ResourceSpans mixed =
        ResourceSpans.newBuilder()
            .addScopeSpans(ScopeSpans.newBuilder().addSpans(dropped))
            .addScopeSpans(ScopeSpans.newBuilder().addSpans(dropped).addSpans(kept))
            .build();
    ResourceSpans alreadyEmpty =
        ResourceSpans.newBuilder().setResource(Resource.getDefaultInstance()).build();

    Sampled sampled =
        new TraceSampler(1, false, null)
            .sample(
                Requests.surrounded(
                    ExportTraceServiceRequest.newBuilder()
                        .addResourceSpans(onlyDropped)
                        .addResourceSpans(mixed)
                        .addResourceSpans(alreadyEmpty)
                        .build()
                        .toByteArray()));

    assertThat(sampled.kept()).isEqualTo(1);
    assertThat(sampled.sampledOut()).isEqualTo(3);
    assertThat(decode(sampled).getResourceSpansList())
        .containsExactly(
            mixed.toBuilder()
                .clearScopeSpans()
                .addScopeSpans(
                    ScopeSpans.newBuilder().addSpans(kept.toBuilder().setTraceState("ot=th:fd70a")))
                .build(),
            alreadyEmpty);
  }

  // conformance: R-03
  @Test
  void sample_everythingDropped_isEmpty() {
    Sampled sampled =
        new TraceSampler(1, false, null)
            .sample(request(span("0102030405060708ff00000000000001").build()));

    assertThat(sampled).isEqualTo(new Sampled(Slice.EMPTY, 0, 1));
  }

  /** A trace kept at one percentage is kept at every higher one, by any sampler. */
  @Test
  void sample_severalPercentages_consistent() throws Exception {
    Slice request = randomTraces(20_000);
    Set<ByteString> keptBefore = new HashSet<>();
    for (double percentage : List.of(0.01, 0.1, 1.0, 5.0, 33.3, 50.0, 99.0)) {
      Set<ByteString> kept = traceIds(new TraceSampler(percentage, false, null).sample(request));

      assertThat(kept.containsAll(keptBefore)).as("kept at %s %%", percentage).isTrue();
      assertThat(traceIds(new TraceSampler(percentage, true, null).sample(request)))
          .isEqualTo(kept);
      keptBefore = kept;
    }
  }

  /** One stage after the other keeps what the stricter one alone keeps, with its threshold. */
  @Test
  void sample_twoStages_equalTheStricterOne() {
    Slice request = randomTraces(5_000);
    TraceSampler tenth = new TraceSampler(10, false, null);
    TraceSampler half = new TraceSampler(50, false, null);
    byte[] once = tenth.sample(request).request().toByteArray();

    assertThat(tenth.sample(half.sample(request).request()).request().toByteArray())
        .isEqualTo(once);
    Slice sampled = Slice.of(once);
    assertThat(half.sample(sampled).request()).isSameAs(sampled);
    assertThat(tenth.sample(sampled).request()).isSameAs(sampled);
  }

  /** The adjusted counts of what is kept estimate what came in. */
  @ParameterizedTest
  @ValueSource(doubles = {1, 10, 33.3, 75})
  void sample_manySpans_adjustedCountIsTheInput(double percentage) {
    int spans = 100_000;

    Sampled sampled = new TraceSampler(percentage, false, null).sample(randomTraces(spans));

    double probability = (0x1p56 - SamplingThreshold.of(percentage / 100)) / 0x1p56;
    double deviation = Math.sqrt(spans * (1 - probability) / probability);
    assertThat(sampled.kept() / probability).isCloseTo(spans, within(3 * deviation));
    assertThat(sampled.kept() + sampled.sampledOut()).isEqualTo(spans);
  }

  @Test
  void constructor_badArguments_throws() {
    assertThatThrownBy(() -> new TraceSampler(0, false, null))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new TraceSampler(100.1, false, null))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new TraceSampler(50, false, Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("keepSlowerThan is PT0S (expected a positive duration)");
  }

  private static String traceStateAfter(TraceSampler sampler, Span span) throws Exception {
    Sampled sampled = sampler.sample(request(span));
    assertThat(sampled.kept() + sampled.sampledOut()).isEqualTo(1);
    if (sampled.kept() == 0) {
      assertThat(sampled.request().isEmpty()).isTrue();
      return DROPPED;
    }
    Span after = decode(sampled).getResourceSpans(0).getScopeSpans(0).getSpans(0);
    assertThat(after.toBuilder().clearTraceState().build())
        .isEqualTo(span.toBuilder().clearTraceState().build());
    return after.getTraceState();
  }

  private static ExportTraceServiceRequest decode(Sampled sampled)
      throws InvalidProtocolBufferException {
    return ExportTraceServiceRequest.parseFrom(sampled.request().toByteArray());
  }

  private static Set<ByteString> traceIds(Sampled sampled) throws Exception {
    Set<ByteString> ids = new HashSet<>();
    decode(sampled)
        .getResourceSpansList()
        .forEach(
            r ->
                r.getScopeSpansList()
                    .forEach(s -> s.getSpansList().forEach(span -> ids.add(span.getTraceId()))));
    assertThat(ids).hasSize(sampled.kept());
    return ids;
  }

  private static Slice randomTraces(int count) {
    Random random = new Random(56);
    ScopeSpans.Builder scope = ScopeSpans.newBuilder();
    byte[] id = new byte[16];
    for (int i = 0; i < count; i++) {
      random.nextBytes(id);
      scope.addSpans(Span.newBuilder().setTraceId(ByteString.copyFrom(id)));
    }
    return requestOf(ResourceSpans.newBuilder().addScopeSpans(scope).build());
  }

  private static Span.Builder span(String traceId) {
    return Span.newBuilder()
        .setTraceId(ByteString.copyFrom(HexFormat.of().parseHex(traceId)))
        .setName("name")
        .setFlags(0x303);
  }

  private static Slice request(Span... spans) {
    ScopeSpans.Builder scope = ScopeSpans.newBuilder();
    for (Span span : spans) {
      scope.addSpans(span);
    }
    return requestOf(ResourceSpans.newBuilder().addScopeSpans(scope).build());
  }

  private static Slice requestOf(ResourceSpans record) {
    return Requests.surrounded(
        ExportTraceServiceRequest.newBuilder().addResourceSpans(record).build().toByteArray());
  }

  /** A request around the bytes of one span. */
  private static Slice requestOf(ByteString span) {
    return Requests.surrounded(
        Requests.record(1, Requests.record(2, Requests.record(2, span))).toByteArray());
  }
}
