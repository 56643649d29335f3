package io.spillway.buffer;

import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.DeadLetter;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Sender;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A dead letter as it stands in its file. All numbers are little-endian.
 *
 * <pre>
 *   0        1        2        3        4        5        6        7        8
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 *   |          magic "SPWD"             |version | reason | flags  |   T    |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 8 |          header length H          |   CRC32C of [0,12) and [16,end)   |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 16|           item count              |        length W of the words      |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 24|                 refused at, milliseconds since 1970                   |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 32|        exporter id, UTF-8, up to H - T; T bytes of the tenant;        |
 *   |        then, up to the end of the file, the payload: W bytes of the   |
 *   |        sink's words, then the request                                 |
 *   +-----------------------------------------------------------------------+
 * </pre>
 *
 * <p>With flag 1 the payload is sealed by {@link BlockCipher}, and the header, its CRC as zero, is
 * authenticated with it: a letter cannot be moved to another lane or given other facts.
 */
final class DeadLetterFile {
  /** "SPWD" as a little-endian number. */
  private static final int MAGIC = 0x44575053;

  private static final int FIXED_LENGTH = 32;
  private static final int CRC_OFFSET = 12;

  /** Of letters without a tenant, which earlier releases read too. */
  private static final byte VERSION = 1;

  private static final byte VERSION_WITH_TENANT = 2;
  private static final byte ENCRYPTED = 1;

  /** Longer words are cut. */
  static final int MAX_WORDS_BYTES = 4096;

  private static final int MAX_EXPORTER_BYTES = 4096;

  /** On disk a reason is its place here; append only. */
  private static final List<DropReason> REASONS =
      List.of(DropReason.BAD_DATA, DropReason.TOO_LARGE);

  private DeadLetterFile() {}

  /**
   * The bytes of a letter's file.
   *
   * @param cipher null to leave the payload in the clear
   */
  static byte[] encode(LaneId lane, DeadLetter letter, Instant when, @Nullable BlockCipher cipher)
      throws GeneralSecurityException {
    byte[] words = utf8(letter.words(), MAX_WORDS_BYTES);
    byte[] exporter = utf8(letter.exporter(), MAX_EXPORTER_BYTES);
    byte[] tenant = utf8(letter.tenant(), Sender.MAX_TENANT_LENGTH);
    byte version = tenant.length == 0 ? VERSION : VERSION_WITH_TENANT;
    byte[] header = new byte[FIXED_LENGTH + exporter.length + tenant.length];
    ByteBuffer to = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    to.putInt(MAGIC).put(version).put((byte) REASONS.indexOf(letter.reason()));
    to.put(cipher == null ? 0 : ENCRYPTED)
        .put((byte) tenant.length)
        .putInt(header.length)
        .putInt(0);
    to.putInt(letter.items())
        .putInt(words.length)
        .putLong(when.toEpochMilli())
        .put(exporter)
        .put(tenant);
    Slice payload = join(words, letter.request());
    if (cipher != null) {
      payload = cipher.seal(BlockCipher.associated(lane, header), payload);
    }
    byte[] file = join(header, payload).toByteArray();
    ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(CRC_OFFSET, crc(file));
    return file;
  }

  /** Reads the bytes of a file back. */
  static LetterContent decode(LaneId lane, byte[] file, @Nullable BlockCipher cipher) {
    ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    if (file.length < FIXED_LENGTH || in.getInt(0) != MAGIC || !isKnown(in.get(4))) {
      return new LetterContent.Unreadable("it is no dead letter of a known version");
    }
    int headerLength = in.getInt(8);
    int reason = in.get(5);
    int tenantLength = Byte.toUnsignedInt(in.get(7));
    if (in.getInt(CRC_OFFSET) != crc(file)
        || headerLength < FIXED_LENGTH + tenantLength
        || headerLength > file.length
        || reason < 0
        || reason >= REASONS.size()) {
      return new LetterContent.Unreadable("its CRC32C is wrong");
    }
    Slice payload = new Slice(file, headerLength, file.length - headerLength);
    if ((in.get(6) & ENCRYPTED) != 0) {
      byte[] header = Arrays.copyOf(file, headerLength);
      ByteBuffer.wrap(header).putInt(CRC_OFFSET, 0);
      switch (BlockCipher.open(cipher, BlockCipher.associated(lane, header), payload)) {
        case BlockCipher.Opened.Plain(Slice plain) -> payload = plain;
        case BlockCipher.Opened.Locked(String why) -> {
          return new LetterContent.Unreadable(why);
        }
      }
    }
    int words = in.getInt(20);
    if (words < 0 || words > payload.length()) {
      return new LetterContent.Unreadable("its words are longer than the file");
    }
    return new LetterContent.Intact(
        new DeadLetter(
            text(file, FIXED_LENGTH, headerLength - FIXED_LENGTH - tenantLength),
            REASONS.get(reason),
            text(payload.array(), payload.offset(), words),
            payload.sub(words, payload.length() - words),
            in.getInt(16),
            text(file, headerLength - tenantLength, tenantLength)),
        Instant.ofEpochMilli(in.getLong(24)));
  }

  private static boolean isKnown(byte version) {
    return version == VERSION || version == VERSION_WITH_TENANT;
  }

  private static String text(byte[] bytes, int offset, int length) {
    return new String(bytes, offset, length, StandardCharsets.UTF_8);
  }

  /** Cut between characters where it is too long. */
  private static byte[] utf8(String text, int most) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int end = Math.min(bytes.length, most);
    while (end < bytes.length && end > 0 && (bytes[end] & 0xC0) == 0x80) {
      end--;
    }
    return Arrays.copyOf(bytes, end);
  }

  private static Slice join(byte[] head, Slice tail) {
    return Slice.concat(List.of(Slice.of(head), tail));
  }

  private static int crc(byte[] file) {
    CRC32C crc = new CRC32C();
    crc.update(file, 0, CRC_OFFSET);
    crc.update(file, CRC_OFFSET + Integer.BYTES, file.length - CRC_OFFSET - Integer.BYTES);
    return (int) crc.getValue();
  }
}
