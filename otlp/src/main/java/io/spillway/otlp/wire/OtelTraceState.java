package io.spillway.otlp.wire;

import org.jspecify.annotations.Nullable;

/**
 * A W3C {@code tracestate} and its OpenTelemetry member {@code ot}, on bytes: reads {@code th} and
 * {@code rv}, writes the same state with another {@code th}. Reusable; belongs to one thread.
 *
 * <p>W3C Trace Context Level 2 §tracestate; OpenTelemetry §TraceState Handling.
 */
final class OtelTraceState {
  /** Longest value of {@code ot}; a change that would make it longer is not made. */
  static final int MAX_OT_BYTES = 256;

  private static final int MAX_MEMBERS = 32;
  private static final int MAX_KEY_BYTES = 256;
  private static final int MAX_VALUE_BYTES = 256;
  private static final byte[] OT = {'o', 't', '='};
  private static final byte[] TH = {'t', 'h', ':'};
  private static final byte[] NOTHING = {};

  private final int[] memberStarts = new int[MAX_MEMBERS];
  private final int[] memberEnds = new int[MAX_MEMBERS];

  private byte[] buf = NOTHING;
  private int members;

  /** The index of the {@code ot} member; -1 without one. */
  private int ot;

  private int otStart;
  private int otEnd;
  private int thStart;
  private boolean hasRandomness;
  private long threshold;
  private long randomness;

  /** Reads a tracestate; false if it does not follow the grammar, and nothing can be said of it. */
  boolean parse(byte[] array, int from, int to) {
    clear();
    buf = array;
    int start = from;
    while (start <= to) {
      int end = indexOf(',', start, to);
      if (!addMember(start, end)) {
        return false;
      }
      start = end + 1;
    }
    return ot < 0 || parseOt();
  }

  /** Becomes the empty tracestate. */
  void clear() {
    members = 0;
    ot = -1;
    thStart = -1;
    hasRandomness = false;
  }

  boolean hasThreshold() {
    return thStart >= 0;
  }

  /** The threshold as a 56-bit number. */
  long threshold() {
    return threshold;
  }

  boolean hasRandomness() {
    return hasRandomness;
  }

  /** The explicit randomness, 56 bits. */
  long randomness() {
    return randomness;
  }

  /**
   * Writes the tracestate with another {@code th}, or without if null. The {@code ot} member comes
   * first, the others keep their order; the last of 33 falls off. False, with nothing written, if
   * {@code ot} would become too long.
   */
  boolean write(WireBuffer out, byte @Nullable [] th) {
    int begin = out.size();
    out.append(OT, 0, OT.length);
    int valueStart = out.size();
    writeSubKeys(out, valueStart, th);
    if (out.size() - valueStart > MAX_OT_BYTES) {
      out.truncate(begin);
      return false;
    }
    int written = 1;
    if (out.size() == valueStart) {
      out.truncate(begin);
      written = 0;
    }
    for (int i = 0; i < members && written < MAX_MEMBERS; i++) {
      if (i != ot) {
        if (written++ > 0) {
          out.append(',');
        }
        out.append(buf, memberStarts[i], memberEnds[i]);
      }
    }
    return true;
  }

  private void writeSubKeys(WireBuffer out, int valueStart, byte @Nullable [] th) {
    if (th != null && !hasThreshold()) {
      writeThreshold(out, valueStart, th);
    }
    int start = otStart;
    while (ot >= 0 && start <= otEnd) {
      int end = indexOf(';', start, otEnd);
      if (start != thStart) {
        separate(out, valueStart);
        out.append(buf, start, end);
      } else if (th != null) {
        writeThreshold(out, valueStart, th);
      }
      start = end + 1;
    }
  }

  private static void writeThreshold(WireBuffer out, int valueStart, byte[] th) {
    separate(out, valueStart);
    out.append(TH, 0, TH.length);
    out.append(th, 0, th.length);
  }

  private static void separate(WireBuffer out, int valueStart) {
    if (out.size() > valueStart) {
      out.append(';');
    }
  }

  /** Takes up one list member, with spaces and tabs around it; an empty one is skipped. */
  private boolean addMember(int from, int to) {
    int start = from;
    int end = to;
    while (start < end && isSpace(buf[start])) {
      start++;
    }
    while (end > start && isSpace(buf[end - 1])) {
      end--;
    }
    if (start == end) {
      return true;
    }
    int equals = indexOf('=', start, end);
    if (members == MAX_MEMBERS || !isKey(start, equals) || !isValue(equals + 1, end)) {
      return false;
    }
    if (equals - start == 2 && buf[start] == 'o' && buf[start + 1] == 't') {
      if (ot >= 0) {
        return false;
      }
      ot = members;
      otStart = equals + 1;
      otEnd = end;
    }
    memberStarts[members] = start;
    memberEnds[members] = end;
    members++;
    return true;
  }

  private boolean isKey(int from, int to) {
    if (from == to || to - from > MAX_KEY_BYTES || !isLowerAlphanumeric(buf[from])) {
      return false;
    }
    for (int i = from; i < to; i++) {
      byte c = buf[i];
      if (!isLowerAlphanumeric(c) && c != '_' && c != '-' && c != '*' && c != '/' && c != '@') {
        return false;
      }
    }
    return true;
  }

  private boolean isValue(int from, int to) {
    if (from >= to || to - from > MAX_VALUE_BYTES) {
      return false;
    }
    for (int i = from; i < to; i++) {
      if (buf[i] < ' ' || buf[i] > '~' || buf[i] == '=') {
        return false;
      }
    }
    return true;
  }

  private boolean parseOt() {
    int start = otStart;
    while (start <= otEnd) {
      int end = indexOf(';', start, otEnd);
      if (!parseSubKey(start, end)) {
        return false;
      }
      start = end + 1;
    }
    return true;
  }

  private boolean parseSubKey(int start, int end) {
    int colon = indexOf(':', start, end);
    if (colon == end || !isSubKey(start, colon) || !isSubValue(colon + 1, end)) {
      return false;
    }
    if (isNamed(start, colon, 't', 'h')) {
      return parseThreshold(start, colon + 1, end);
    }
    return !isNamed(start, colon, 'r', 'v') || parseRandomness(colon + 1, end);
  }

  private boolean parseThreshold(int start, int from, int to) {
    if (hasThreshold() || !isHex(from, to)) {
      return false;
    }
    thStart = start;
    int missingDigits = SamplingThreshold.HEX_DIGITS - (to - from);
    threshold = hex(from, to) << (4 * missingDigits);
    return true;
  }

  private boolean parseRandomness(int from, int to) {
    if (hasRandomness || to - from != SamplingThreshold.HEX_DIGITS || !isHex(from, to)) {
      return false;
    }
    hasRandomness = true;
    randomness = hex(from, to);
    return true;
  }

  private boolean isNamed(int from, int to, char first, char second) {
    return to - from == 2 && buf[from] == first && buf[from + 1] == second;
  }

  private boolean isSubKey(int from, int to) {
    if (from == to || isDigit(buf[from])) {
      return false;
    }
    for (int i = from; i < to; i++) {
      if (!isLowerAlphanumeric(buf[i])) {
        return false;
      }
    }
    return true;
  }

  private boolean isSubValue(int from, int to) {
    for (int i = from; i < to; i++) {
      byte c = buf[i];
      boolean upper = c >= 'A' && c <= 'Z';
      if (!isLowerAlphanumeric(c) && !upper && c != '.' && c != '_' && c != '-') {
        return false;
      }
    }
    return true;
  }

  private boolean isHex(int from, int to) {
    for (int i = from; i < to; i++) {
      if (!isDigit(buf[i]) && (buf[i] < 'a' || buf[i] > 'f')) {
        return false;
      }
    }
    return to > from && to - from <= SamplingThreshold.HEX_DIGITS;
  }

  private long hex(int from, int to) {
    long value = 0;
    for (int i = from; i < to; i++) {
      value = (value << 4) | (isDigit(buf[i]) ? buf[i] - '0' : buf[i] - 'a' + 10);
    }
    return value;
  }

  private int indexOf(char wanted, int from, int to) {
    int at = from;
    while (at < to && buf[at] != wanted) {
      at++;
    }
    return at;
  }

  private static boolean isSpace(byte c) {
    return c == ' ' || c == '\t';
  }

  private static boolean isDigit(byte c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isLowerAlphanumeric(byte c) {
    return (c >= 'a' && c <= 'z') || isDigit(c);
  }
}
