package io.spillway.otlp.codec;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Slice;

/** Compresses requests; keeps native state, belongs to one thread at a time. */
public final class BlockCompressor implements AutoCloseable {

  /**
   * The compressed bytes: one gzip member or one zstd frame with its content size. The result is
   * the caller's; {@code NONE} returns the argument.
   */
  public Slice compress(Codec codec, Slice bytes) {
    throw new UnsupportedOperationException();
  }

  /** Frees native state. Safe to call twice. */
  @Override
  public void close() {}
}
