package io.spillway.otlp.stage;

/**
 * What becomes of items that protobuf can be read with and strict sinks refuse the whole request
 * for: ids of a wrong length, text that is not UTF-8.
 */
public enum InvalidItems {
  /** They are rejected, and their sender is told; the others are stored (OTLP §Partial Success). */
  PARTIAL_SUCCESS,
  /** They are stored and sent like all others. */
  PASS
}
