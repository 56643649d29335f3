package io.spillway.otlp.wire;

import static io.spillway.otlp.wire.WireSchema.ACTIONS;
import static io.spillway.otlp.wire.WireSchema.ACTION_MASK;
import static io.spillway.otlp.wire.WireSchema.ATTRIBUTE;
import static io.spillway.otlp.wire.WireSchema.BYTES;
import static io.spillway.otlp.wire.WireSchema.DATA_POINT;
import static io.spillway.otlp.wire.WireSchema.FIXED32;
import static io.spillway.otlp.wire.WireSchema.FIXED64;
import static io.spillway.otlp.wire.WireSchema.GROUP_END;
import static io.spillway.otlp.wire.WireSchema.GROUP_START;
import static io.spillway.otlp.wire.WireSchema.ITEM;
import static io.spillway.otlp.wire.WireSchema.MESSAGE;
import static io.spillway.otlp.wire.WireSchema.METRIC;
import static io.spillway.otlp.wire.WireSchema.METRIC_DATA;
import static io.spillway.otlp.wire.WireSchema.PACKED_FIXED64;
import static io.spillway.otlp.wire.WireSchema.PACKED_VARINTS;
import static io.spillway.otlp.wire.WireSchema.RESOURCE_RECORD;
import static io.spillway.otlp.wire.WireSchema.SPAN_ID;
import static io.spillway.otlp.wire.WireSchema.STRING;
import static io.spillway.otlp.wire.WireSchema.TRACE_ID;
import static io.spillway.otlp.wire.WireSchema.VARINT;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One forward pass over an export request: is it valid, how many items are in it, where are its
 * resources.
 *
 * <p>Valid is what the strictest of the protobuf runtimes accepts, so that nothing that is passed
 * on is refused as malformed further down. That is protobuf-java's verdict, with its nesting limit
 * of 100, except that a tag or a length takes at most five bytes and 32 bits and any other varint
 * ten bytes, as upb has it. Unknown fields and groups are valid anywhere; so is a known field with
 * the wrong wire type. What protobuf accepts and sinks refuse all the same is a {@link Flaw}.
 *
 * <p>The walk is a loop over an explicit stack, so input cannot choose how deep Java recurses. It
 * allocates nothing but room for the index of resources, which is kept for the next request.
 * Belongs to one thread at a time; answers are about the last request that was scanned, and the
 * scanner keeps that request's array alive.
 */
public final class RequestScanner {
  /** Most resource records in a request; more would make the index larger than the request. */
  static final int MAX_RESOURCES = 1 << 20;

  private static final int MAX_DEPTH = 100;
  private static final int MAX_TAG_BYTES = 5;
  private static final int MAX_VARINT_BYTES = 10;
  private static final int TRACE_ID_BYTES = 16;
  private static final int SPAN_ID_BYTES = 8;
  private static final int GROUP_ROW = WireSchema.Message.GROUP.row();

  /** Room in the index that is kept between requests, in resources. */
  private static final int KEPT_RESOURCES = 4096;

  private final int[] ends = new int[MAX_DEPTH + 1];
  private final int[] rows = new int[MAX_DEPTH + 1];
  private final int[] groupEndTags = new int[MAX_DEPTH + 1];
  private final ResourceAttributes attributes = new ResourceAttributes();

  private Signal signal = Signal.TRACES;
  private Slice request = Slice.EMPTY;
  private int resources;
  private int items;
  private int[] recordStarts = new int[16];
  private int[] recordEnds = new int[16];
  private int[] itemsBefore = new int[16];

  /** Where the last slow read ended; the fast ones keep their position in a register. */
  private int cursor;

  private int metricMember;
  private int metricPoints;

  /** Whether text that is no UTF-8 is a flaw, and not a reason to refuse the request. */
  private boolean lenient;

  private @Nullable Flaw flaw;

  /**
   * Scans a request. If it throws, the scanner is as after an empty request.
   *
   * @throws MalformedRequestException if the request is not valid; says what is wrong and at which
   *     byte of the request
   */
  public void scan(Signal signal, Slice request) throws MalformedRequestException {
    scan(signal, request, false);
  }

  /**
   * As {@link #scan}, but text that is not UTF-8 is a {@link #flaw}, as it concerns some items
   * only.
   */
  public void inspect(Signal signal, Slice request) throws MalformedRequestException {
    scan(signal, request, true);
  }

  /**
   * The first thing in the request that strict sinks refuse it for, although protobuf can be read;
   * null as a rule.
   */
  public @Nullable Flaw flaw() {
    return flaw;
  }

  /**
   * The first flaw in some fields of a message; null if there is none. What the scanner knows of a
   * request is gone after this.
   *
   * @param row of the message in {@link WireSchema}
   * @param request found valid before; it holds the fields
   */
  @Nullable Flaw flawIn(Signal signal, int row, Slice request, int from, int to) {
    reset(signal, request);
    lenient = true;
    try {
      walk(row, request.array(), from, to);
      return flaw;
    } catch (MalformedRequestException e) {
      throw new IllegalArgumentException("the request was not found valid before", e);
    }
  }

  private void scan(Signal signal, Slice request, boolean leniently)
      throws MalformedRequestException {
    reset(signal, request);
    lenient = leniently;
    try {
      walk(
          WireSchema.requestRow(signal),
          request.array(),
          request.offset(),
          request.offset() + request.length());
      closeMetric();
    } catch (MalformedRequestException e) {
      reset(signal, Slice.EMPTY);
      throw e;
    }
  }

  /** Items in the request: spans, data points, log records or profiles. */
  public int items() {
    return items;
  }

  /** Resource records ({@code ResourceSpans} and the like) at the top level. */
  public int resources() {
    return resources;
  }

  /** Items below resource record {@code i}. */
  public int items(int i) {
    Objects.checkIndex(i, resources);
    return (i + 1 == resources ? items : itemsBefore[i + 1]) - itemsBefore[i];
  }

  /**
   * The whole record {@code i}, tag and length included, relative to the request: concatenating
   * records gives a request.
   */
  public Slice resource(int i) {
    Objects.checkIndex(i, resources);
    return request.sub(recordStarts[i] - request.offset(), recordEnds[i] - recordStarts[i]);
  }

  /**
   * What stands between the resource records, in order, concatenated: the dictionary of profiles,
   * and unknown fields. Empty as a rule. It belongs to every part a request is sliced into.
   */
  public Slice otherFields() {
    int length = request.length();
    for (int i = 0; i < resources; i++) {
      length -= recordEnds[i] - recordStarts[i];
    }
    if (length == 0) {
      return Slice.EMPTY;
    }
    byte[] unknown = new byte[length];
    int filled = 0;
    int from = request.offset();
    for (int i = 0; i <= resources; i++) {
      int to = i < resources ? recordStarts[i] : request.offset() + request.length();
      System.arraycopy(request.array(), from, unknown, filled, to - from);
      filled += to - from;
      from = i < resources ? recordEnds[i] : to;
    }
    return Slice.of(unknown);
  }

  /**
   * The value of an attribute of resource {@code i} as text (last one wins); null if absent, or if
   * it is not a single value (bytes, arrays and maps). Numbers and booleans in their JSON form.
   */
  public @Nullable String attribute(int i, String key) {
    Objects.checkIndex(i, resources);
    return attributes.find(request.array(), recordStarts[i], recordEnds[i], key);
  }

  private void reset(Signal signal, Slice request) {
    this.signal = signal;
    this.request = request;
    resources = 0;
    items = 0;
    metricMember = 0;
    metricPoints = 0;
    flaw = null;
    if (recordStarts.length > KEPT_RESOURCES) {
      resizeIndex(KEPT_RESOURCES);
    }
  }

  /** The hot loop. Invariant: {@code pos <= end}, and {@code end} is the end of the parent. */
  private void walk(int firstRow, byte[] buf, int from, int to) throws MalformedRequestException {
    int row = firstRow;
    int pos = from;
    int end = to;
    int depth = 0;
    while (true) {
      while (pos == end) {
        if (row == GROUP_ROW) {
          throw malformed(pos, "group " + (groupEndTags[depth] >>> 3) + " is not closed");
        }
        if (depth == 0) {
          return;
        }
        depth--;
        end = ends[depth];
        row = rows[depth];
      }

      int start = pos;
      int tag = buf[pos++];
      int action;
      if (tag >= 0) {
        action = ACTIONS[row + tag];
      } else {
        tag = readLongTag(buf, start, end);
        pos = cursor;
        action = actionOfLongTag(row, tag);
      }

      int what = action & ACTION_MASK;
      if (what >= BYTES) {
        int length;
        if (pos < end && buf[pos] >= 0) {
          length = buf[pos++];
        } else {
          length = readLength(buf, pos, end);
          pos = cursor;
        }
        if (length > end - pos) {
          throw overrun(row, tag, start, length, end - pos);
        }
        if (what >= MESSAGE) {
          if (depth == MAX_DEPTH) {
            throw tooDeep(start);
          }
          if (what == ATTRIBUTE) {
            if (depth <= MAX_DEPTH - PlainAttribute.LEVELS
                && PlainAttribute.isPlain(buf, pos, pos + length)) {
              pos += length;
              continue;
            }
          } else if (what != MESSAGE) {
            note(what, tag, start, pos + length);
          }
          ends[depth] = end;
          rows[depth] = row;
          depth++;
          end = pos + length;
          row = action & ~ACTION_MASK;
        } else {
          if (what == STRING) {
            if (!Utf8.isValid(buf, pos, pos + length)) {
              invalidText(row, tag, start);
            }
          } else if (what != BYTES) {
            checkBytes(what, buf, row, tag, start, pos, length);
          }
          pos += length;
        }
      } else if (what == VARINT) {
        if (pos < end && buf[pos] >= 0) {
          pos++;
        } else {
          pos = skipVarint(buf, pos, end);
        }
      } else if (what == FIXED64) {
        pos = skipFixed(Long.BYTES, row, tag, start, pos, end);
      } else if (what == FIXED32) {
        pos = skipFixed(Integer.BYTES, row, tag, start, pos, end);
      } else if (what == GROUP_START) {
        if (depth == MAX_DEPTH) {
          throw tooDeep(start);
        }
        ends[depth] = end;
        rows[depth] = row;
        depth++;
        row = GROUP_ROW;
        groupEndTags[depth] = tag - GROUP_START + GROUP_END;
      } else if (what == GROUP_END) {
        if (row != GROUP_ROW || groupEndTags[depth] != tag) {
          throw malformed(start, "end of group " + (tag >>> 3) + " that is not open here");
        }
        depth--;
        row = rows[depth];
      } else {
        throw malformed(start, "invalid tag " + tag + " in " + WireSchema.name(row));
      }
    }
  }

  /** Counts and indexes what is about to be entered. */
  private void note(int what, int tag, int start, int end) throws MalformedRequestException {
    switch (what) {
      case ITEM -> items++;
      case DATA_POINT -> metricPoints++;
      case METRIC -> closeMetric();
      case METRIC_DATA -> openMetricData(tag);
      case RESOURCE_RECORD -> addResource(start, end);
      default -> throw new AssertionError(what);
    }
  }

  /** Oneof: the last member on the wire wins, the same one again merges, another one clears. */
  private void openMetricData(int tag) {
    if (tag != metricMember) {
      metricMember = tag;
      metricPoints = 0;
    }
  }

  private void closeMetric() {
    items += metricPoints;
    metricPoints = 0;
    metricMember = 0;
  }

  private void addResource(int start, int end) throws MalformedRequestException {
    closeMetric();
    if (resources == recordStarts.length) {
      if (resources == MAX_RESOURCES) {
        throw malformed(start, "too many resources (expected at most " + MAX_RESOURCES + ")");
      }
      resizeIndex(resources * 2);
    }
    recordStarts[resources] = start;
    recordEnds[resources] = end;
    itemsBefore[resources] = items;
    resources++;
  }

  private void resizeIndex(int length) {
    recordStarts = Arrays.copyOf(recordStarts, length);
    recordEnds = Arrays.copyOf(recordEnds, length);
    itemsBefore = Arrays.copyOf(itemsBefore, length);
  }

  private static int actionOfLongTag(int row, int tag) {
    // A tag of several bytes may still be a small number, padded. A large one is unknown
    // everywhere.
    return (tag & ~ACTION_MASK) == 0
        ? ACTIONS[row + tag]
        : ACTIONS[GROUP_ROW + (1 << 3 | (tag & 7))];
  }

  private int readLongTag(byte[] buf, int start, int end) throws MalformedRequestException {
    return readVarint32(buf, start, end, "tag");
  }

  private int readLength(byte[] buf, int start, int end) throws MalformedRequestException {
    int length = readVarint32(buf, start, end, "length");
    if (length < 0) {
      throw malformed(start, "length " + Integer.toUnsignedString(length) + " (expected < 2^31)");
    }
    return length;
  }

  private int readVarint32(byte[] buf, int start, int end, String what)
      throws MalformedRequestException {
    int result = 0;
    for (int i = 0; i < MAX_TAG_BYTES; i++) {
      if (start + i == end) {
        throw malformed(start, what + " is cut off");
      }
      int b = buf[start + i];
      result |= (b & 0x7f) << (7 * i);
      if (b >= 0) {
        if (i == MAX_TAG_BYTES - 1 && b > 0x0f) {
          break;
        }
        cursor = start + i + 1;
        return result;
      }
    }
    throw malformed(start, what + " is too large (expected at most 32 bits in 5 bytes)");
  }

  private int skipVarint(byte[] buf, int start, int end) throws MalformedRequestException {
    for (int i = 0; i < MAX_VARINT_BYTES; i++) {
      if (start + i == end) {
        throw malformed(start, "varint is cut off");
      }
      if (buf[start + i] >= 0) {
        return start + i + 1;
      }
    }
    throw malformed(start, "varint is longer than 10 bytes");
  }

  private int skipFixed(int bytes, int row, int tag, int start, int pos, int end)
      throws MalformedRequestException {
    if (end - pos < bytes) {
      throw overrun(row, tag, start, bytes, end - pos);
    }
    return pos + bytes;
  }

  private void invalidText(int row, int tag, int start) throws MalformedRequestException {
    if (flaw != null && lenient) {
      return;
    }
    String what = field(row, tag) + " is not valid UTF-8";
    if (!lenient) {
      throw malformed(start, what);
    }
    note(Flaw.Kind.TEXT, start, what);
  }

  private void checkId(Flaw.Kind kind, int expected, int row, int tag, int start, int length) {
    if (length != 0 && length != expected && flaw == null) {
      note(
          kind,
          start,
          "%s, a %s, takes %d bytes (expected %d, or none)"
              .formatted(field(row, tag), kind.noun(), length, expected));
    }
  }

  private void note(Flaw.Kind kind, int start, String what) {
    flaw = new Flaw(kind, "byte " + (start - request.offset()) + ": " + what);
  }

  private void checkBytes(int what, byte[] buf, int row, int tag, int start, int pos, int length)
      throws MalformedRequestException {
    if (what == TRACE_ID) {
      checkId(Flaw.Kind.TRACE_ID, TRACE_ID_BYTES, row, tag, start, length);
    } else if (what == SPAN_ID) {
      checkId(Flaw.Kind.SPAN_ID, SPAN_ID_BYTES, row, tag, start, length);
    }
    if (what == PACKED_FIXED64 && length % Long.BYTES != 0) {
      throw malformed(
          start, field(row, tag) + " takes " + length + " bytes (expected a multiple of 8)");
    }
    if (what == PACKED_VARINTS) {
      for (int at = pos; at < pos + length; ) {
        at = skipVarint(buf, at, pos + length);
      }
    }
  }

  private MalformedRequestException overrun(int row, int tag, int start, int bytes, int left) {
    return malformed(
        start, field(row, tag) + " takes " + bytes + " bytes (expected at most " + left + ")");
  }

  private MalformedRequestException tooDeep(int start) {
    return malformed(start, "nested too deep (expected at most " + MAX_DEPTH + " levels)");
  }

  private static String field(int row, int tag) {
    return "field " + (tag >>> 3) + " of " + WireSchema.name(row);
  }

  private MalformedRequestException malformed(int at, String what) {
    return new MalformedRequestException(
        signal.label() + " request, byte " + (at - request.offset()) + ": " + what);
  }
}
