package io.spillway.otlp;

/**
 * Whether gzip that a sender made is stored and sent on as it came, where blocks are gzip. What
 * sinks are sent decompresses to the same bytes either way.
 */
public enum GzipPassthrough {
  /** Where a block is one request: sinks get a single member, which every reader reads whole. */
  AUTO,

  /**
   * Also where a block is several: sinks get members one after the other (RFC 1952 §2.2). A reader
   * that stops after the first one would lose the rest without a word, so this is for sinks that
   * are known to read them all.
   */
  ON,

  /** Never. */
  OFF
}
