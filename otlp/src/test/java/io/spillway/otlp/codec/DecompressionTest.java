package io.spillway.otlp.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.ZstdCompressCtx;
import com.sun.management.ThreadMXBean;
import io.spillway.otlp.Codec;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class DecompressionTest {
  @BeforeAll
  static void loadLibrary() {
    assertThat(GzipLibrary.load()).isNotEmpty();
  }

  private static final int MIB = 1024 * 1024;
  private static final byte[] TEXT = CodecRoundTripTest.text(3000);

  @Test
  void none_overLimit_isTooLarge() {
    assertThatThrownBy(() -> Decompression.decompress(Codec.NONE, Slice.of(new byte[11]), 10))
        .isInstanceOf(PayloadTooLargeException.class)
        .hasMessage("request: 11 bytes (expected at most 10)");
  }

  // conformance: W-05
  @ParameterizedTest
  @EnumSource(value = Codec.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  void decompress_severalInARow_areOneStream(Codec codec) throws Exception {
    byte[] joined =
        join(compress(codec, TEXT), compress(codec, new byte[0]), compress(codec, TEXT));

    assertThat(decompress(codec, joined)).isEqualTo(join(TEXT, TEXT));
    assertThatThrownBy(() -> Decompression.decompress(codec, Slice.of(joined), 5999))
        .isInstanceOf(PayloadTooLargeException.class);
    assertThat(Decompression.decompress(codec, Slice.of(joined), 6000).length()).isEqualTo(6000);
  }

  @ParameterizedTest
  @EnumSource(value = Codec.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  void decompress_truncatedAnywhere_isMalformed(Codec codec) {
    byte[] whole = compress(codec, TEXT);
    for (int length = 0; length < whole.length; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> decompress(codec, part))
          .as("%d of %d bytes", length, whole.length)
          .isInstanceOf(MalformedRequestException.class);
    }
  }

  @ParameterizedTest
  @EnumSource(value = Codec.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  void decompress_junkBehind_isMalformed(Codec codec) {
    for (byte[] junk : new byte[][] {{0}, new byte[100], {0x1f}, TEXT, {0x28, (byte) 0xb5}}) {
      assertThatThrownBy(() -> decompress(codec, join(compress(codec, TEXT), junk)))
          .isInstanceOf(MalformedRequestException.class);
    }
    assertThatThrownBy(() -> decompress(codec, join(compress(codec, TEXT), new byte[100])))
        .hasMessageContaining(
            "request: bad %s body: junk after the last ".formatted(codec.encoding()));
    assertThatThrownBy(() -> decompress(codec, TEXT))
        .hasMessage("request: bad %s body: not %s".formatted(codec.encoding(), codec.encoding()));
  }

  @ParameterizedTest
  @EnumSource(value = Codec.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  void decompress_oneBitFlipped_isMalformedOrHarmless(Codec codec) throws Exception {
    byte[] whole = codec == Codec.ZSTD ? zstdWithChecksum(TEXT) : compress(codec, TEXT);
    int caught = 0;
    for (int bit = 0; bit < whole.length * 8; bit++) {
      byte[] damaged = whole.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      try {
        // Header bits without influence on the content: times, hints, window size.
        assertThat(decompress(codec, damaged)).as("bit %d", bit).isEqualTo(TEXT);
      } catch (MalformedRequestException | PayloadTooLargeException e) {
        caught++;
      }
    }
    assertThat(caught).isGreaterThan(whole.length * 8 - 80);
  }

  @Test
  void gzip_everyHeaderField_isSkipped() throws Exception {
    byte[] plain = compress(Codec.GZIP, TEXT);
    byte[] body = Arrays.copyOfRange(plain, 10, plain.length);
    byte[] fixed = HexFormat.of().parseHex("1f8b081e0102030402ff");
    byte[] header =
        join(fixed, new byte[] {3, 0, 9, 9, 9}, latin1("name\0"), latin1("a comment\0"));
    CRC32 crc = new CRC32();
    crc.update(header);
    byte[] checksum = {(byte) crc.getValue(), (byte) (crc.getValue() >> 8)};

    assertThat(decompress(Codec.GZIP, join(header, checksum, body))).isEqualTo(TEXT);

    checksum[0] ^= 1;
    assertThatThrownBy(() -> decompress(Codec.GZIP, join(header, checksum, body)))
        .hasMessage("request: bad gzip body: header checksum does not match");
  }

  @ParameterizedTest
  @CsvSource({
    "1f8b0720, unknown method 7",
    "1f8b0820, reserved header flags are set",
    "1f8b0804, truncated",
    "1f8b0808, truncated",
    "1f8b0800, truncated",
  })
  void gzip_badHeader_isMalformed(String start, String what) {
    byte[] header = HexFormat.of().parseHex(start + "00000000" + "00ff");
    byte[] bytes = start.endsWith("08") ? join(header, latin1("endless name")) : header;
    assertThatThrownBy(() -> decompress(Codec.GZIP, bytes))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageStartingWith("request: bad gzip body: " + what);
  }

  @Test
  void gzip_wrongTrailer_isMalformed() {
    byte[] checksum = compress(Codec.GZIP, TEXT);
    checksum[checksum.length - 8] ^= 1;
    assertThatThrownBy(() -> decompress(Codec.GZIP, checksum))
        .hasMessage("request: bad gzip body: checksum does not match");

    byte[] size = compress(Codec.GZIP, TEXT);
    size[size.length - 1] = (byte) 0xff;
    assertThatThrownBy(() -> decompress(Codec.GZIP, size))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessage("request: bad gzip body: a member of 3000 bytes says it has 4278193080");
  }

  @Test
  void gzip_bomb_isTooLargeWithMemoryNearTheLimit() {
    byte[] bomb = compress(Codec.GZIP, new byte[64 * MIB]);
    assertThat(bomb.length).isLessThan(MIB / 3);

    long allocated =
        allocatedBy(
            () ->
                assertThatThrownBy(() -> Decompression.decompress(Codec.GZIP, Slice.of(bomb), MIB))
                    .isInstanceOf(PayloadTooLargeException.class)
                    .hasMessage(
                        "request: its gzip body decompresses to more than 1048576 bytes (expected"
                            + " at most that)"));
    assertThat(allocated).isLessThan(4L * MIB);
  }

  @Test
  void gzip_lieAboutSize_doesNotAllocateIt() {
    byte[] liar = compress(Codec.GZIP, TEXT);
    Arrays.fill(liar, liar.length - 4, liar.length, (byte) 0x3f);

    long allocated =
        allocatedBy(
            () ->
                assertThatThrownBy(
                        () -> Decompression.decompress(Codec.GZIP, Slice.of(liar), 512 * MIB))
                    .isInstanceOf(MalformedRequestException.class));
    assertThat(allocated).isLessThan(MIB);
  }

  @Test
  void zstd_skippableFrames_areSkipped() throws Exception {
    byte[] skippable = HexFormat.of().parseHex("5a2a4d1803000000aabbcc");
    byte[] frame = compress(Codec.ZSTD, TEXT);

    assertThat(decompress(Codec.ZSTD, join(skippable, frame, skippable))).isEqualTo(TEXT);
    assertThat(decompress(Codec.ZSTD, skippable)).isEmpty();
    assertThatThrownBy(
            () -> decompress(Codec.ZSTD, HexFormat.of().parseHex("502a4d18ffffffffaabbcc")))
        .hasMessage("request: bad zstd body: truncated");
  }

  @ParameterizedTest
  @CsvSource({
    // Raw block "abc" behind: no size, window 1 KiB; no size, window 2 GiB; sizes of 1, 2, 4, 8
    // bytes.
    "28b52ffd 00 00 190000 616263, abc",
    "28b52ffd 00 a8 190000 616263, abc",
    "28b52ffd 20 03 190000 616263, abc",
    "28b52ffd a0 03000000 190000 616263, abc",
    "28b52ffd e0 0300000000000000 190000 616263, abc",
    // Two blocks; a repeated byte; a dictionary id of 0.
    "28b52ffd 00 00 100000 6162 090000 63, abc",
    "28b52ffd 00 00 1b0000 61, aaa",
    "28b52ffd 21 00 03 190000 616263, abc",
  })
  void zstd_handMadeFrames_areRead(String hex, String expected) throws Exception {
    assertThat(decompress(Codec.ZSTD, HexFormat.of().parseHex(hex.replace(" ", ""))))
        .isEqualTo(latin1(expected));
  }

  @ParameterizedTest
  @CsvSource({
    "28b52ffd 20 04 190000 616263, damaged",
    "28b52ffd 20 02 190000 616263, damaged",
    "28b52ffd 00 00 1f0000 616263, a block of the reserved type",
    "28b52ffd 08 00 190000 616263, a reserved bit is set",
    "28b52ffd 21 07 03 190000 616263, needs a dictionary",
    "28b52ffd 00 00 180000 616263, truncated",
    "28b52ffd 00 ff 190000 616263, damaged",
    // A repeated byte, one more than the 128 KiB that a block may hold.
    "28b52ffd 00 00 0b0010 61, a block of 131073",
    "28b52ffd 04 00 190000 616263 00000000, damaged",
    "27b52ffd 00 00 190000 616263, not zstd",
  })
  void zstd_badFrames_areMalformed(String hex, String what) {
    byte[] frame = HexFormat.of().parseHex(hex.replace(" ", ""));
    assertThatThrownBy(() -> decompress(Codec.ZSTD, frame))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessageStartingWith("request: bad zstd body: " + what);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a0 ffffff3f", "e0 ffffffffffffff7f", "e0 ffffffffffffffff"})
  void zstd_claimOverLimit_isTooLargeWithoutAllocating(String claim) {
    byte[] frame = HexFormat.of().parseHex(("28b52ffd" + claim + "190000616263").replace(" ", ""));
    long allocated =
        allocatedBy(
            () ->
                assertThatThrownBy(
                        () -> Decompression.decompress(Codec.ZSTD, Slice.of(frame), 64 * MIB))
                    .isInstanceOf(PayloadTooLargeException.class));
    assertThat(allocated).isLessThan(MIB);
  }

  @Test
  void zstd_claimWithinLimitThatBlocksCannotKeep_isMalformedWithoutAllocating() {
    byte[] frame = HexFormat.of().parseHex("28b52ffda00000" + "0004" + "190000616263");
    long allocated =
        allocatedBy(
            () ->
                assertThatThrownBy(
                        () -> Decompression.decompress(Codec.ZSTD, Slice.of(frame), 128 * MIB))
                    .isInstanceOf(MalformedRequestException.class));
    assertThat(allocated).isLessThan(MIB);
  }

  @Test
  void zstd_bombOf1Gib_isTooLargeWithMemoryNearTheLimit() {
    ByteArrayOutputStream bomb = new ByteArrayOutputStream();
    bomb.writeBytes(HexFormat.of().parseHex("28b52ffd0038"));
    byte[] repeat128Kib = {0x02, 0x00, 0x10, 0x00};
    for (int i = 0; i < 8191; i++) {
      bomb.writeBytes(repeat128Kib);
    }
    bomb.writeBytes(new byte[] {0x03, 0x00, 0x10, 0x00});

    long allocated =
        allocatedBy(
            () ->
                assertThatThrownBy(
                        () ->
                            Decompression.decompress(Codec.ZSTD, Slice.of(bomb.toByteArray()), MIB))
                    .isInstanceOf(PayloadTooLargeException.class)
                    .hasMessageStartingWith("request: its zstd body decompresses to more than"));
    assertThat(allocated).isLessThan(2L * MIB);
  }

  @Test
  void decompress_afterFailures_stillWorks() throws Exception {
    for (int i = 0; i < 40; i++) {
      assertThatThrownBy(
              () -> decompress(Codec.GZIP, HexFormat.of().parseHex("1f8b0800000000000000ff")))
          .isInstanceOf(MalformedRequestException.class);
      assertThat(decompress(Codec.GZIP, compress(Codec.GZIP, TEXT))).isEqualTo(TEXT);
      assertThat(decompress(Codec.ZSTD, compress(Codec.ZSTD, TEXT))).isEqualTo(TEXT);
    }
  }

  private static long allocatedBy(Runnable action) {
    // Loads classes and fills pools first.
    action.run();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    action.run();
    return threads.getCurrentThreadAllocatedBytes() - before;
  }

  private static byte[] decompress(Codec codec, byte[] bytes)
      throws MalformedRequestException, PayloadTooLargeException {
    return Decompression.decompress(codec, Slice.of(bytes), MIB).toByteArray();
  }

  private static byte[] compress(Codec codec, byte[] bytes) {
    try (BlockCompressor compressor = new BlockCompressor()) {
      return compressor.compress(codec, Slice.of(bytes)).toByteArray();
    }
  }

  private static byte[] zstdWithChecksum(byte[] bytes) {
    try (ZstdCompressCtx context = new ZstdCompressCtx()) {
      return context.setChecksum(true).compress(bytes);
    }
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      joined.writeBytes(part);
    }
    return joined.toByteArray();
  }

  private static byte[] latin1(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
