package io.spillway.otlp;

import org.jspecify.annotations.Nullable;

/**
 * The bytes of a request, and how they came.
 *
 * @param plain uncompressed
 * @param gzip the same bytes as one gzip member, if they came like that and it may be stored in
 *     place of one of ours; null otherwise
 */
public record RequestBytes(Slice plain, @Nullable Slice gzip) {

  /** Bytes that did not come as gzip. */
  public static RequestBytes of(Slice plain) {
    return new RequestBytes(plain, null);
  }

  /** Uncompressed bytes. */
  public int length() {
    return plain.length();
  }

  /** Bytes of memory that are kept alive. */
  public long retainedBytes() {
    return (long) plain.retainedBytes() + (gzip == null ? 0 : gzip.retainedBytes());
  }

  /** The same, for who compresses anew. */
  public RequestBytes withoutGzip() {
    return gzip == null ? this : of(plain);
  }
}
