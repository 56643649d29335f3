package io.spillway.receivers;

/** The words of an answer on their way to the sender. */
final class Reasons {
  /** Keeps trailers and bodies far below any client's limit (OTLP §OTLP/gRPC Response: 4 MiB). */
  static final int MAX_CHARS = 1024;

  private Reasons() {}

  /** The text, cut at a character boundary if it is too long. */
  static String shorten(String text) {
    if (text.length() <= MAX_CHARS) {
      return text;
    }
    int end = MAX_CHARS - 1;
    if (Character.isHighSurrogate(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end) + "…";
  }
}
