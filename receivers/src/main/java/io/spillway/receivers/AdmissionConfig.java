package io.spillway.receivers;

import io.spillway.config.Section;

/**
 * How much memory requests may take until they are answered. The key is that of the Collector's
 * {@code otelarrow} receiver; its {@code otlp} receiver has no such bound.
 *
 * @param requestLimitMib 0 to take part of the heap
 */
public record AdmissionConfig(int requestLimitMib) {
  /** Part of the heap. */
  public static final AdmissionConfig DEFAULT = new AdmissionConfig(0);

  /**
   * A fourth of the heap: while a request is decompressed, turned from JSON into protobuf or put
   * into a block, it is there two or three times, and what is not admitted has to live too.
   */
  private static final int HEAP_FRACTION = 4;

  private static final int MOST_MIB = 1 << 20;

  static AdmissionConfig read(Section otlp) {
    Section admission = otlp.section("admission");
    return admission.has("request_limit_mib")
        ? new AdmissionConfig(admission.integer("request_limit_mib", 1, 1, MOST_MIB))
        : DEFAULT;
  }

  /**
   * Makes the admission.
   *
   * @param maxHeapBytes what the heap may grow to
   */
  public Admission create(long maxHeapBytes) {
    return new Admission(
        requestLimitMib == 0 ? maxHeapBytes / HEAP_FRACTION : (long) requestLimitMib << 20);
  }
}
