package io.spillway.otlp.wire;

import io.spillway.otlp.Slice;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Consistent probability sampling of spans on bytes. */
public final class TraceSampler {

  /**
   * @param percentage in (0, 100]
   * @param keepErrors keep spans with status ERROR whatever their randomness
   * @param keepSlowerThan keep spans at least this long; null for no such rule
   */
  public TraceSampler(double percentage, boolean keepErrors, @Nullable Duration keepSlowerThan) {}

  /** Samples a valid traces request. Returns the same slice if nothing changes. */
  public Sampled sample(Slice request) {
    throw new UnsupportedOperationException();
  }

  /** What is left of a request, and the spans kept and left out. */
  public record Sampled(Slice request, int kept, int sampledOut) {}
}
