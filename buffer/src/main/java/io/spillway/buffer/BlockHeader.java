package io.spillway.buffer;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What stands in front of every payload. All numbers are little-endian; a record is one Chronicle
 * document.
 *
 * <pre>
 *   0        1        2        3        4        5        6        7        8
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 *   |          magic "SPWB"             |version | signal | codec  | flags  |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 8 |          header length H          |   CRC32C of [0,12) and [16,H)     |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 16|          payload length           |       CRC32C of the payload       |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 24|        uncompressed length        |           item count              |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 32|                 number of the first item in the lane                  |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 40|                 number of this block in the lane                      |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 48|        oldest request accepted at, milliseconds since 1970            |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 56|        newest request accepted at, milliseconds since 1970            |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 64|        sampled out since the lane was made, this block included       |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 72|        payload bytes since the lane was made, this block included     |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 80|         request count R           |   0, or bytes of the tenants T    |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 88|   length of request 0             |     items of request 0            |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 *   |               … R times, then the payload at H if T is 0              |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 *   |  R bytes, T bytes of {@link TenantTable}, then the payload at H       |
 * </pre>
 *
 * <p>A block without tenants is of version 1, one with tenants of version 2: the tenant of each
 * request as its place in the table that follows, 0 for none.
 *
 * <p>Flags: bit 0 says that the payload is encrypted, see {@link BlockCipher}; the others are 0.
 *
 * <p>The header's CRC covers the payload's CRC, so both are covered; a header that proves good
 * tells how many items a damaged payload held.
 *
 * @param length bytes of the header itself
 */
record BlockHeader(
    Signal signal,
    Codec codec,
    int payloadLength,
    int payloadCrc,
    int uncompressedLength,
    int items,
    long firstItem,
    long blockNumber,
    long firstAccepted,
    long lastAccepted,
    long sampledOut,
    long payloadBytes,
    List<Block.Request> requests,
    boolean encrypted,
    int length) {

  /** "SPWB" as a little-endian number. */
  static final int MAGIC = 0x42575053;

  static final int FIXED_LENGTH = 88;
  static final int MAX_REQUESTS = 4096;
  static final int MAX_LENGTH =
      FIXED_LENGTH + MAX_REQUESTS * (8 + TenantTable.INDEX_BYTES) + TenantTable.MAX_BYTES;

  private static final byte WITHOUT_TENANTS = 1;
  private static final byte WITH_TENANTS = 2;
  private static final byte[] ZEROS = new byte[4096];
  private static final VarHandle WORDS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final int FLAGS_OFFSET = 7;
  private static final int CRC_OFFSET = 12;
  private static final int PAYLOAD_CRC_OFFSET = 20;
  private static final byte ENCRYPTED = 1;

  /** On disk a signal or codec is its place here; append only. */
  private static final List<Signal> SIGNALS =
      List.of(Signal.TRACES, Signal.METRICS, Signal.LOGS, Signal.PROFILES);

  private static final List<Codec> CODECS = List.of(Codec.NONE, Codec.GZIP, Codec.ZSTD);

  BlockHeader {
    requests = List.copyOf(requests);
  }

  /** With the length that follows from the requests. */
  BlockHeader(
      Signal signal,
      Codec codec,
      int payloadLength,
      int payloadCrc,
      int uncompressedLength,
      int items,
      long firstItem,
      long blockNumber,
      long firstAccepted,
      long lastAccepted,
      long sampledOut,
      long payloadBytes,
      List<Block.Request> requests,
      boolean encrypted) {
    this(
        signal,
        codec,
        payloadLength,
        payloadCrc,
        uncompressedLength,
        items,
        firstItem,
        blockNumber,
        firstAccepted,
        lastAccepted,
        sampledOut,
        payloadBytes,
        requests,
        encrypted,
        length(requests.size(), TenantTable.of(requests).bytes()));
  }

  private static int length(int requests, int tenantBytes) {
    int perRequest = tenantBytes == 0 ? 8 : 8 + TenantTable.INDEX_BYTES;
    return FIXED_LENGTH + requests * perRequest + tenantBytes;
  }

  /** The lane's totals without this block; sampled-out counts are not taken back. */
  Totals start() {
    return new Totals(firstItem, blockNumber, sampledOut, payloadBytes - payloadLength);
  }

  /** The lane's totals with this block. */
  Totals end() {
    return new Totals(firstItem + items, blockNumber + 1, sampledOut, payloadBytes);
  }

  /** Whether a document of this length holds this header and its payload; padding counts or not. */
  boolean fits(int documentLength) {
    long spare = (long) documentLength - length - payloadLength;
    return spare >= 0 && spare < 4;
  }

  /** This block with an encrypted payload. */
  BlockHeader sealed(int sealedLength, int sealedCrc) {
    return new BlockHeader(
        signal,
        codec,
        sealedLength,
        sealedCrc,
        uncompressedLength,
        items,
        firstItem,
        blockNumber,
        firstAccepted,
        lastAccepted,
        sampledOut,
        payloadBytes - payloadLength + sealedLength,
        requests,
        true,
        length);
  }

  /** The bytes of {@link #encode}, with zeros for both CRCs. */
  byte[] withoutCrcs() {
    byte[] bytes = encode();
    ByteBuffer.wrap(bytes).putInt(CRC_OFFSET, 0).putInt(PAYLOAD_CRC_OFFSET, 0);
    return bytes;
  }

  static int crc(Slice bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.array(), bytes.offset(), bytes.length());
    return (int) crc.getValue();
  }

  byte[] encode() {
    byte[] bytes = new byte[length];
    TenantTable tenants = TenantTable.of(requests);
    ByteBuffer to = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    to.putInt(MAGIC)
        .put(tenants.bytes() == 0 ? WITHOUT_TENANTS : WITH_TENANTS)
        .put((byte) SIGNALS.indexOf(signal))
        .put((byte) CODECS.indexOf(codec));
    to.put(encrypted ? ENCRYPTED : 0).putInt(bytes.length).putInt(0);
    to.putInt(payloadLength).putInt(payloadCrc).putInt(uncompressedLength).putInt(items);
    to.putLong(firstItem).putLong(blockNumber).putLong(firstAccepted).putLong(lastAccepted);
    to.putLong(sampledOut).putLong(payloadBytes).putInt(requests.size());
    to.putInt(tenants.bytes());
    for (Block.Request request : requests) {
      to.putInt(request.length()).putInt(request.items());
    }
    tenants.write(requests, to);
    to.putInt(CRC_OFFSET, headerCrc(bytes, 0, bytes.length));
    return bytes;
  }

  /**
   * The header's length as the bytes claim it, or -1 if they cannot be the start of a header.
   *
   * @param available bytes from {@code offset} on; at least {@link #FIXED_LENGTH} are needed
   */
  static int claimedLength(byte[] bytes, int offset, int available) {
    if (available < FIXED_LENGTH) {
      return -1;
    }
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int length = in.getInt(offset + 8);
    boolean good =
        in.getInt(offset) == MAGIC
            && (in.get(offset + 4) == WITHOUT_TENANTS || in.get(offset + 4) == WITH_TENANTS)
            && length >= FIXED_LENGTH
            && length <= MAX_LENGTH;
    return good ? length : -1;
  }

  /**
   * Looks for the magic number that each header starts with. Zeros, of which there are many behind
   * the last record of a segment, are passed at the speed of memory.
   *
   * @param from where it may be first; then at every multiple of 4 behind it
   * @return where it is; -1 if it is nowhere before {@code to}
   */
  static int find(byte[] bytes, int from, int to) {
    for (int at = from; at <= to - Integer.BYTES; at += Integer.BYTES) {
      int word = (int) WORDS.get(bytes, at);
      if (word == MAGIC) {
        return at;
      }
      if (word == 0) {
        int most = Math.min(to - at, ZEROS.length);
        int zeros = Arrays.mismatch(bytes, at, at + most, ZEROS, 0, most);
        at += ((zeros < 0 ? most : zeros) & -Integer.BYTES) - Integer.BYTES;
      }
    }
    return -1;
  }

  /**
   * How far it is from one place to the next where a header may start: 0 if that is here. Behind
   * the last place that can be told from these bytes if there is none.
   */
  static int distance(byte[] bytes, int from, int to) {
    int found = find(bytes, from, to);
    return found < 0 ? (to - from) & -Integer.BYTES : found - from;
  }

  /** The header at {@code offset}, or null if it is damaged in any way. */
  static @Nullable BlockHeader decode(byte[] bytes, int offset, int available) {
    int length = claimedLength(bytes, offset, available);
    if (length < 0 || length > available) {
      return null;
    }
    ByteBuffer in = ByteBuffer.wrap(bytes, offset, length).slice().order(ByteOrder.LITTLE_ENDIAN);
    int signal = in.get(5);
    int codec = in.get(6);
    int requests = in.getInt(80);
    boolean tenants = in.get(4) == WITH_TENANTS;
    int tableBytes = tenants ? in.getInt(84) : 0;
    if (in.getInt(CRC_OFFSET) != headerCrc(bytes, offset, length)
        || signal < 0
        || signal >= SIGNALS.size()
        || codec < 0
        || codec >= CODECS.size()
        || requests < 0
        || requests > MAX_REQUESTS
        || tableBytes < 0
        || (tenants && tableBytes == 0)
        || length != length(requests, tableBytes)
        || in.getInt(16) < 0
        || in.getInt(28) < 0) {
      return null;
    }
    TenantTable table = TenantTable.read(in, FIXED_LENGTH + requests * 8, requests, tableBytes);
    if (table == null) {
      return null;
    }
    in.position(FIXED_LENGTH);
    List<Block.Request> boundaries = new ArrayList<>(requests);
    for (int i = 0; i < requests; i++) {
      boundaries.add(new Block.Request(in.getInt(), in.getInt(), table.tenant(i)));
    }
    return new BlockHeader(
        SIGNALS.get(signal),
        CODECS.get(codec),
        in.getInt(16),
        in.getInt(PAYLOAD_CRC_OFFSET),
        in.getInt(24),
        in.getInt(28),
        in.getLong(32),
        in.getLong(40),
        in.getLong(48),
        in.getLong(56),
        in.getLong(64),
        in.getLong(72),
        boundaries,
        (in.get(FLAGS_OFFSET) & ENCRYPTED) != 0,
        length);
  }

  private static int headerCrc(byte[] bytes, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, offset, CRC_OFFSET);
    crc.update(bytes, offset + CRC_OFFSET + 4, length - CRC_OFFSET - 4);
    return (int) crc.getValue();
  }
}
