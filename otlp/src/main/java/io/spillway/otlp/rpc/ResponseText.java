package io.spillway.otlp.rpc;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The text of a response, cut so that the response fits its size limit. */
final class ResponseText {

  /**
   * Bytes of text as encoded. With everything around it a response stays below 4 MiB, the limit
   * that senders are told to expect (OTLP §Response Size Limits).
   */
  static final int MAX_BYTES = 4 * 1024 * 1024 - 1024;

  private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

  private ResponseText() {}

  /** UTF-8, cut between characters. */
  static byte[] utf8(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    if (utf8.length <= MAX_BYTES) {
      return utf8;
    }
    int end = MAX_BYTES;
    while (isContinuation(utf8[end])) {
      end--;
    }
    return Arrays.copyOf(utf8, end);
  }

  /** Appends a JSON string with its quotes, cut between characters. */
  static void appendJson(ByteArrayOutputStream json, String text) {
    byte[] utf8 = utf8(text);
    int limit = json.size() + MAX_BYTES;
    json.write('"');
    for (int i = 0; i < utf8.length; ) {
      int next = i + 1;
      while (next < utf8.length && isContinuation(utf8[next])) {
        next++;
      }
      int cost = next - i == 1 ? escapedBytes(utf8[i]) : next - i;
      if (json.size() + cost > limit) {
        break;
      }
      if (cost == next - i) {
        json.write(utf8, i, cost);
      } else {
        escape(json, utf8[i]);
      }
      i = next;
    }
    json.write('"');
  }

  private static int escapedBytes(byte ascii) {
    if (ascii == '"' || ascii == '\\' || ascii == '\n') {
      return 2;
    }
    return ascii < 0x20 ? 6 : 1;
  }

  private static void escape(ByteArrayOutputStream json, byte ascii) {
    json.write('\\');
    switch (ascii) {
      case '"', '\\' -> json.write(ascii);
      case '\n' -> json.write('n');
      default -> {
        json.write('u');
        json.write('0');
        json.write('0');
        json.write(HEX[ascii >> 4]);
        json.write(HEX[ascii & 15]);
      }
    }
  }

  private static boolean isContinuation(byte b) {
    return (b & 0xc0) == 0x80;
  }
}
