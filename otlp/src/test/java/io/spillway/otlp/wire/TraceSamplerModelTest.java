package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.wire.TraceSampler.Sampled;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The sampler on bytes against one that decodes, decides on objects and builds anew. */
class TraceSamplerModelTest {
  private static final List<String> TRACE_STATES =
      List.of(
          "",
          "ot=th:8",
          "ot=th:4;rv:9fffffffffffff",
          "a=1,ot=th:c;x:y,b=2",
          "ot=rv:ffffffffffffff",
          "a=b",
          "a=b=c",
          "ot=th:zz",
          "ot=th:0,c=d",
          "ot=th:fff",
          " , x=y",
          "ot=" + "a".repeat(300),
          "ot=k:" + "v".repeat(250));

  // conformance: W-07, W-14, W-17
  @Test
  void sample_generatedTraces_asTheModel() throws Exception {
    long seed = Long.getLong("spillway.test.seed", System.nanoTime());
    System.out.println("TraceSamplerModelTest: seed " + seed);
    Random random = new Random(seed);
    RequestScanner scanner = new RequestScanner();
    int changed = 0;
    for (int i = 0; i < 3_000; i++) {
      double percentage = List.of(100.0, 75.0, 50.0, 10.0, 1.0, 33.3).get(random.nextInt(6));
      boolean keepErrors = random.nextBoolean();
      Duration slow = random.nextBoolean() ? Duration.ofSeconds(2) : null;
      byte[] request = request(random, scanner);

      Sampled sampled =
          new TraceSampler(percentage, keepErrors, slow).sample(Requests.surrounded(request));

      Model model = new Model(percentage, keepErrors, slow);
      ExportTraceServiceRequest expected =
          model.sample(ExportTraceServiceRequest.parseFrom(request));
      assertThat(ExportTraceServiceRequest.parseFrom(sampled.request().toByteArray()))
          .as("seed %d", seed)
          .isEqualTo(expected);
      scanner.scan(Signal.TRACES, sampled.request());
      assertThat(sampled.kept()).isEqualTo(scanner.items()).isEqualTo(Requests.items(expected));
      assertThat(sampled.kept() + sampled.sampledOut()).isEqualTo(model.seen);
      changed += Arrays.equals(request, sampled.request().toByteArray()) ? 0 : 1;
    }
    assertThat(changed).as("seed %d", seed).isGreaterThan(1_000);
  }

  /** Requests with everything in them, and spans whose fields are written twice. */
  private static byte[] request(Random random, RequestScanner scanner) {
    if (random.nextInt(3) == 0) {
      byte[] any = new WireGenerator(random).request(Signal.TRACES);
      try {
        scanner.scan(Signal.TRACES, Slice.of(any));
        return any;
      } catch (MalformedRequestException e) {
        return new byte[0]; // nested too deep
      }
    }
    ByteString request = ByteString.EMPTY;
    for (int r = random.nextInt(3); r >= 0; r--) {
      ByteString record = ResourceSpans.newBuilder().setSchemaUrl("r" + r).build().toByteString();
      for (int s = random.nextInt(3); s > 0; s--) {
        ByteString scope = ByteString.EMPTY;
        for (int n = random.nextInt(5); n > 0; n--) {
          ByteString span = span(random);
          scope = scope.concat(Requests.record(2, span));
        }
        record = record.concat(Requests.record(2, scope));
      }
      request = request.concat(Requests.record(1, record));
    }
    return request.toByteArray();
  }

  private static ByteString span(Random random) {
    ByteString span = oneSpan(random);
    return random.nextInt(4) == 0 ? span.concat(oneSpan(random)) : span;
  }

  private static ByteString oneSpan(Random random) {
    Span.Builder span = Span.newBuilder();
    if (random.nextInt(10) > 0) {
      byte[] id = new byte[random.nextInt(10) == 0 ? random.nextInt(20) : 16];
      random.nextBytes(id);
      span.setTraceId(ByteString.copyFrom(id));
    }
    span.setTraceState(TRACE_STATES.get(random.nextInt(TRACE_STATES.size())));
    if (random.nextBoolean()) {
      span.setStartTimeUnixNano(random.nextInt(3)).setEndTimeUnixNano(random.nextLong(4L << 30));
    }
    if (random.nextInt(3) == 0) {
      span.getStatusBuilder().setCodeValue(random.nextInt(4)).setMessage("m");
    }
    return span.setName("n".repeat(random.nextInt(130))).build().toByteString();
  }

  private static final class Model {
    private static final BigInteger RANGE = BigInteger.ONE.shiftLeft(56);
    private static final Pattern KEY = Pattern.compile("[a-z0-9][a-z0-9_*/@-]{0,255}");
    private static final Pattern VALUE = Pattern.compile("[ -~&&[^,=]]{0,255}[!-~&&[^,=]]");
    private static final Pattern OT =
        Pattern.compile("(?:[a-z][a-z0-9]*:[A-Za-z0-9._-]*(?:;|$))+(?<!;)");
    private static final Pattern TH = Pattern.compile("(?:^|;)th:([^;]*)");
    private static final Pattern RV = Pattern.compile("(?:^|;)rv:([^;]*)");

    private final BigInteger threshold;
    private final String th;
    private final boolean keepErrors;
    private final Duration slow;
    private int seen;

    Model(double percentage, boolean keepErrors, Duration slow) {
      this.threshold = BigInteger.valueOf(SamplingThreshold.of(percentage / 100));
      this.th =
          new String(
              SamplingThreshold.encode(threshold.longValueExact()), StandardCharsets.US_ASCII);
      this.keepErrors = keepErrors;
      this.slow = slow;
    }

    ExportTraceServiceRequest sample(ExportTraceServiceRequest request) {
      ExportTraceServiceRequest.Builder out = request.toBuilder().clearResourceSpans();
      for (ResourceSpans record : request.getResourceSpansList()) {
        List<ScopeSpans> scopes =
            record.getScopeSpansList().stream().flatMap(s -> sample(s).stream()).toList();
        if (scopes.size() > 0 || record.getScopeSpansCount() == 0) {
          out.addResourceSpans(record.toBuilder().clearScopeSpans().addAllScopeSpans(scopes));
        }
      }
      return out.build();
    }

    private Optional<ScopeSpans> sample(ScopeSpans scope) {
      List<Span> spans = scope.getSpansList().stream().flatMap(s -> sample(s).stream()).toList();
      return (spans.isEmpty() && scope.getSpansCount() > 0)
          ? Optional.empty()
          : Optional.of(scope.toBuilder().clearSpans().addAllSpans(spans).build());
    }

    private Optional<Span> sample(Span span) {
      seen++;
      String ot = ot(span.getTraceState());
      String arriving = ot == null ? null : group(TH, ot);
      String rv = ot == null ? null : group(RV, ot);
      if (threshold.signum() == 0 || isKeptByRule(span) || (rv == null && !hasTraceId(span))) {
        return Optional.of(span);
      }
      BigInteger r =
          rv != null
              ? new BigInteger(rv, 16)
              : new BigInteger(1, span.getTraceId().substring(9).toByteArray());
      assertThat(r).isLessThan(RANGE);
      BigInteger before =
          arriving == null
              ? BigInteger.ZERO
              : new BigInteger((arriving + "0".repeat(14)).substring(0, 14), 16);
      boolean consistent = r.compareTo(before) >= 0;
      if (r.compareTo(threshold) < 0) {
        return Optional.empty();
      }
      if (ot == null || (consistent && before.compareTo(threshold) >= 0)) {
        return Optional.of(span);
      }
      return Optional.of(
          span.toBuilder()
              .setTraceState(rewrite(span.getTraceState(), ot, consistent ? th : null))
              .build());
    }

    private boolean isKeptByRule(Span span) {
      long duration = span.getEndTimeUnixNano() - span.getStartTimeUnixNano();
      boolean known =
          span.getStartTimeUnixNano() != 0
              && Long.compareUnsigned(span.getEndTimeUnixNano(), span.getStartTimeUnixNano()) > 0;
      return (keepErrors && span.getStatus().getCodeValue() == 2)
          || (slow != null && known && Long.compareUnsigned(duration, slow.toNanos()) >= 0);
    }

    private static boolean hasTraceId(Span span) {
      return span.getTraceId().size() == 16
          && !span.getTraceId().equals(ByteString.copyFrom(new byte[16]));
    }

    private static List<String> members(String traceState) {
      return Stream.of(traceState.split(",", -1))
          .map(String::strip)
          .filter(m -> !m.isEmpty())
          .toList();
    }

    /** The value of ot; empty without one; null if the state does not follow the grammar. */
    private static String ot(String traceState) {
      List<String> found = new ArrayList<>();
      for (String member : members(traceState)) {
        String[] parts = member.split("=", 2);
        if (parts.length < 2
            || !KEY.matcher(parts[0]).matches()
            || !VALUE.matcher(parts[1]).matches()) {
          return null;
        }
        if (parts[0].equals("ot")) {
          found.add(parts[1]);
        }
      }
      if (found.isEmpty()) {
        return "";
      }
      String ot = found.getFirst();
      boolean valid =
          found.size() == 1
              && OT.matcher(ot).matches()
              && Optional.ofNullable(group(TH, ot)).orElse("0").matches("[0-9a-f]{1,14}")
              && Optional.ofNullable(group(RV, ot)).orElse("0".repeat(14)).matches("[0-9a-f]{14}");
      return valid ? ot : null;
    }

    private static String rewrite(String traceState, String ot, String th) {
      List<String> sub =
          new ArrayList<>(Stream.of(ot.split(";", -1)).filter(s -> !s.isEmpty()).toList());
      boolean had = group(TH, ot) != null;
      if (th == null) {
        sub.removeIf(s -> s.startsWith("th:"));
      } else if (had) {
        sub.replaceAll(s -> s.startsWith("th:") ? "th:" + th : s);
      } else {
        sub.addFirst("th:" + th);
      }
      String value = String.join(";", sub);
      if (value.length() > 256) {
        return traceState;
      }
      List<String> out = new ArrayList<>();
      if (!value.isEmpty()) {
        out.add("ot=" + value);
      }
      members(traceState).stream().filter(m -> !m.startsWith("ot=")).forEach(out::add);
      return String.join(",", out);
    }

    private static String group(Pattern pattern, String text) {
      Matcher matcher = pattern.matcher(text);
      return matcher.find() ? matcher.group(1) : null;
    }
  }
}
