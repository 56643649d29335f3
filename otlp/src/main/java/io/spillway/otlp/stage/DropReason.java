package io.spillway.otlp.stage;

import java.util.Locale;

/** Why stored items were given up. The label is the key in the ledger. */
public enum DropReason {
  /** Evicted whole segments to make room ({@code when_full: drop_oldest}). */
  EVICTED,
  /** Older than {@code max_age}. */
  EXPIRED,
  /** A sink called them bad data, alone in a request of their own. */
  BAD_DATA,
  /** A single item larger than the sink takes. */
  TOO_LARGE,
  /** Unreadable on disk; counted from the gap in item numbers. */
  CORRUPT,
  /** An operator emptied the lane. */
  OPERATOR;

  private final String label = name().toLowerCase(Locale.ROOT);

  public String label() {
    return label;
  }
}
