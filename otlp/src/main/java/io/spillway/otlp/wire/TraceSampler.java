package io.spillway.otlp.wire;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Consistent probability sampling of spans on bytes: every relay with the same percentage keeps the
 * same traces, and says in {@code tracestate} with which probability, so that backends can
 * extrapolate.
 *
 * <p>OpenTelemetry §TraceState: Probability Sampling, as a downstream sampler that equalizes: the
 * threshold of a span is only ever raised. A span that a rule keeps (errors, slow ones) keeps its
 * {@code th}; a {@code th} that contradicts the span's randomness is erased. What has no randomness
 * is kept, and so is every byte of a tracestate that does not follow the grammar.
 *
 * <p>Belongs to one thread at a time. The result owns its array.
 */
public final class TraceSampler {
  private static final int RESOURCE_SPANS_TAG = 1 << 3 | WireSchema.LEN;
  private static final int CHILD_TAG = 2 << 3 | WireSchema.LEN;

  /** Room for output that is kept between requests. */
  private static final int KEPT_BYTES = 1 << 20;

  private final long threshold;
  private final byte[] encodedThreshold;
  private final SpanFacts facts;

  private final FieldCursor request = new FieldCursor();
  private final FieldCursor resourceSpans = new FieldCursor();
  private final FieldCursor scopeSpans = new FieldCursor();
  private final FieldCursor span = new FieldCursor();
  private final WireBuffer out = new WireBuffer(KEPT_BYTES);
  private final WireBuffer traceState = new WireBuffer(KEPT_BYTES);

  private int kept;
  private int sampledOut;
  private boolean rewritten;

  /**
   * @param percentage in (0, 100]
   * @param keepErrors keep spans with status ERROR whatever their randomness
   * @param keepSlowerThan keep spans at least this long; null for no such rule
   */
  public TraceSampler(double percentage, boolean keepErrors, @Nullable Duration keepSlowerThan) {
    this.threshold = SamplingThreshold.of(percentage / 100);
    this.encodedThreshold = SamplingThreshold.encode(threshold);
    this.facts = new SpanFacts(keepErrors, keepSlowerThan);
  }

  /** Samples a valid traces request. Returns the same slice if nothing changes. */
  public Sampled sample(Slice traces) {
    request.over(traces.array(), traces.offset(), traces.offset() + traces.length());
    if (threshold == 0) {
      return new Sampled(traces, new ItemCounter(Signal.TRACES).inRequest(request), 0);
    }
    kept = 0;
    sampledOut = 0;
    rewritten = false;
    out.clear();
    while (request.next()) {
      if (request.isLen(1)) {
        sampleResourceSpans();
      } else {
        copy(request);
      }
    }
    boolean changed = rewritten || sampledOut > 0;
    return new Sampled(changed ? out.toSlice() : traces, kept, sampledOut);
  }

  /** Leaves out the whole record if sampling, and nothing else, emptied it. */
  private void sampleResourceSpans() {
    int begin = out.size();
    int lengthBytes = WireBuffer.varintSize(request.valueSize());
    int body = out.open(RESOURCE_SPANS_TAG, lengthBytes);
    boolean emptied = false;
    boolean filled = false;
    resourceSpans.into(request);
    while (resourceSpans.next()) {
      if (!resourceSpans.isLen(2)) {
        copy(resourceSpans);
      } else if (sampleScopeSpans()) {
        filled = true;
      } else {
        emptied = true;
      }
    }
    end(begin, body, lengthBytes, filled || !emptied);
  }

  /** False if sampling emptied the record, which is left out then. */
  private boolean sampleScopeSpans() {
    int begin = out.size();
    int lengthBytes = WireBuffer.varintSize(resourceSpans.valueSize());
    int body = out.open(CHILD_TAG, lengthBytes);
    int keptBefore = kept;
    int sampledOutBefore = sampledOut;
    scopeSpans.into(resourceSpans);
    while (scopeSpans.next()) {
      if (scopeSpans.isLen(2)) {
        sampleSpan();
      } else {
        copy(scopeSpans);
      }
    }
    boolean keep = kept > keptBefore || sampledOut == sampledOutBefore;
    end(begin, body, lengthBytes, keep);
    return keep;
  }

  private void end(int begin, int body, int lengthBytes, boolean keep) {
    if (keep) {
      out.close(body, lengthBytes);
    } else {
      out.truncate(begin);
    }
  }

  private void sampleSpan() {
    facts.read(scopeSpans);
    if (facts.isKeptByRule() || !facts.hasRandomness()) {
      keepAsIs();
    } else if (facts.isInconsistent()) {
      keepOrDrop(null);
    } else if (facts.threshold() >= threshold) {
      keepAsIs();
    } else {
      keepOrDrop(encodedThreshold);
    }
  }

  private void keepOrDrop(byte @Nullable [] th) {
    if (facts.randomness() < threshold) {
      sampledOut++;
      return;
    }
    traceState.clear();
    if (facts.writeTraceState(traceState, th)) {
      kept++;
      rewritten = true;
      writeSpan();
    } else {
      keepAsIs();
    }
  }

  private void keepAsIs() {
    kept++;
    copy(scopeSpans);
  }

  /** Copies the span with one tracestate, in the place of the first one it had, or at its end. */
  private void writeSpan() {
    int lengthBytes = WireBuffer.varintSize(scopeSpans.valueSize());
    int body = out.open(CHILD_TAG, lengthBytes);
    boolean written = false;
    int from = scopeSpans.value();
    span.into(scopeSpans);
    while (span.next()) {
      if (span.isLen(SpanFacts.TRACE_STATE)) {
        out.append(span.array(), from, span.start());
        from = span.end();
        if (!written) {
          writeTraceState();
          written = true;
        }
      }
    }
    out.append(scopeSpans.array(), from, scopeSpans.end());
    if (!written) {
      writeTraceState();
    }
    out.close(body, lengthBytes);
  }

  private void writeTraceState() {
    if (traceState.size() > 0) {
      out.appendRecord(SpanFacts.TRACE_STATE << 3 | WireSchema.LEN, traceState);
    }
  }

  private void copy(FieldCursor field) {
    out.append(field.array(), field.start(), field.end());
  }

  /** What is left of a request, and the spans kept and left out. */
  public record Sampled(Slice request, int kept, int sampledOut) {}
}
