package io.spillway.exporters;

/** Text from a sink, made fit for a log line. */
final class SinkWords {
  /** Longer texts are cut; sinks have been seen to answer with whole web pages. */
  static final int MAX_CHARS = 1024;

  private SinkWords() {}

  /** The text on one line, without control characters, cut at {@link #MAX_CHARS}. */
  static String clean(String text) {
    boolean cut = text.length() > MAX_CHARS;
    StringBuilder line = new StringBuilder(cut ? text.substring(0, MAX_CHARS) : text);
    for (int i = 0; i < line.length(); i++) {
      if (Character.isISOControl(line.charAt(i))) {
        line.setCharAt(i, ' ');
      }
    }
    return line.toString().strip() + (cut ? "…" : "");
  }
}
