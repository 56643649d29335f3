package io.spillway.otlp.codec;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.spillway.otlp.Codec;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Random;
import java.util.zip.DeflaterOutputStream;
import net.jpountz.lz4.LZ4FrameOutputStream;
import net.jpountz.lz4.LZ4FrameOutputStream.BLOCKSIZE;
import net.jpountz.lz4.LZ4FrameOutputStream.FLG;
import net.jpountz.xxhash.XXHash32;
import net.jpountz.xxhash.XXHashFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.xerial.snappy.Snappy;
import org.xerial.snappy.SnappyFramedOutputStream;

/** Decoders against what the usual encoders make. */
@Timeout(60)
class EncodingTest {
  @BeforeAll
  static void loadLibrary() {
    assertThat(GzipLibrary.load()).isNotEmpty();
  }

  private static final int MIB = 1 << 20;
  private static final int ROUNDS = 20_000;

  /** Heads of LZ4 frames with blocks of up to 64 KiB. */
  private static final String LINKED = "04224d184040c0";

  private static final String INDEPENDENT = "04224d18604082";

  /** What senders send, by who makes it. */
  enum Sent {
    GZIP(Encoding.GZIP),
    ZSTD(Encoding.ZSTD),
    ZLIB(Encoding.ZLIB),
    SNAPPY_BLOCK(Encoding.SNAPPY),
    SNAPPY_FRAMED(Encoding.SNAPPY),
    LZ4(Encoding.LZ4),
    LZ4_ALL_CHECKS(Encoding.LZ4);

    private final Encoding encoding;

    Sent(Encoding encoding) {
      this.encoding = encoding;
    }

    byte[] encode(byte[] plain) {
      try {
        return switch (this) {
          case GZIP -> compress(Codec.GZIP, plain);
          case ZSTD -> compress(Codec.ZSTD, plain);
          case ZLIB -> through(plain, DeflaterOutputStream::new);
          case SNAPPY_BLOCK -> Snappy.compress(plain);
          case SNAPPY_FRAMED -> through(plain, SnappyFramedOutputStream::new);
          case LZ4 -> through(plain, LZ4FrameOutputStream::new);
          case LZ4_ALL_CHECKS ->
              through(
                  plain,
                  out ->
                      new LZ4FrameOutputStream(
                          out,
                          BLOCKSIZE.SIZE_64KB,
                          plain.length,
                          FLG.Bits.BLOCK_INDEPENDENCE,
                          FLG.Bits.BLOCK_CHECKSUM,
                          FLG.Bits.CONTENT_CHECKSUM,
                          FLG.Bits.CONTENT_SIZE));
        };
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  // conformance: H-15, H-16
  @ParameterizedTest
  @EnumSource(Sent.class)
  void decompress_whatEncodersMake_isTheOriginal(Sent sent) throws Exception {
    for (int size : new int[] {0, 1, 59, 60, 61, 300, 3000, 65_536, 65_537, 3 * MIB}) {
      for (byte[] plain :
          new byte[][] {CodecRoundTripTest.text(size), noise(size), new byte[size]}) {
        byte[] encoded = sent.encode(plain);
        Slice within = new Slice(padded(encoded), 3, encoded.length);

        assertThat(Decompression.decompress(sent.encoding, within, size).toByteArray())
            .as("%s of %d bytes", sent, size)
            .isEqualTo(plain);
        if (size > 0) {
          assertThatThrownBy(() -> Decompression.decompress(sent.encoding, within, size - 1))
              .as("%s of %d bytes", sent, size)
              .isInstanceOf(PayloadTooLargeException.class);
        }
      }
    }
  }

  // conformance: H-18
  @ParameterizedTest
  @EnumSource(Sent.class)
  void decompress_truncatedAnywhere_isMalformed(Sent sent) {
    byte[] whole = sent.encode(CodecRoundTripTest.text(3000));
    for (int length = 0; length < whole.length; length++) {
      if (sent == Sent.SNAPPY_FRAMED && length == 10) {
        // The format has no end mark: a stream may end with any chunk, and with its identifier.
        continue;
      }
      byte[] part = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> decompress(sent.encoding, part))
          .as("%s: %d of %d bytes", sent, length, whole.length)
          .isInstanceOf(MalformedRequestException.class);
    }
  }

  // conformance: H-18
  @ParameterizedTest
  @EnumSource(
      value = Sent.class,
      names = {"ZLIB", "SNAPPY_FRAMED", "LZ4_ALL_CHECKS"})
  void decompress_oneBitFlipped_isRefused(Sent sent) {
    byte[] whole = sent.encode(CodecRoundTripTest.text(3000));
    for (int i = 0; i < whole.length; i++) {
      byte[] damaged = whole.clone();
      damaged[i] ^= 1;
      assertThatThrownBy(() -> decompress(sent.encoding, damaged))
          .as("%s: byte %d", sent, i)
          .isInstanceOfAny(MalformedRequestException.class, PayloadTooLargeException.class);
    }
  }

  /** Nothing but an answer comes out of the decoders, whatever goes in. */
  @ParameterizedTest
  @EnumSource(Sent.class)
  void decompress_manyBytesChanged_answersOrRefuses(Sent sent) {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    byte[] whole = sent.encode(CodecRoundTripTest.text(500));
    int refused = 0;
    for (int i = 0; i < ROUNDS; i++) {
      byte[] damaged = whole.clone();
      for (int change = random.nextInt(1, 4); change > 0; change--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      }
      try {
        assertThat(Decompression.decompress(sent.encoding, Slice.of(damaged), 2000).length())
            .isLessThanOrEqualTo(2000);
      } catch (MalformedRequestException | PayloadTooLargeException e) {
        refused++;
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + ": " + HexFormat.of().formatHex(damaged), e);
      }
    }
    assertThat(refused).isPositive();
  }

  // conformance: H-25
  @ParameterizedTest
  @EnumSource(Sent.class)
  void decompress_bomb_isTooLargeWithMemoryNearTheLimit(Sent sent) {
    byte[] bomb = sent.encode(new byte[64 * MIB]);

    long allocated =
        allocatedBy(
            () ->
                assertThatThrownBy(() -> decompress(sent.encoding, bomb))
                    .isInstanceOf(PayloadTooLargeException.class)
                    .hasMessage(
                        "request: its "
                            + sent.encoding.token()
                            + " body decompresses to more than 1048576 bytes (expected at most"
                            + " that)"));
    assertThat(allocated).isLessThan(4L * MIB);
  }

  @Test
  void snappy_lieAboutSize_doesNotAllocateIt() {
    // 500 MiB, and then one literal byte.
    byte[] liar = HexFormat.of().parseHex("808080fa010041");

    assertLieIsCheap(Encoding.SNAPPY, liar);
  }

  @Test
  void lz4_lieAboutSize_doesNotAllocateIt() {
    ByteBuffer frame = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
    frame.putInt(0x184d2204).put((byte) 0x68).put((byte) 0x40).putLong(500 * MIB);
    frame.put((byte) (XxHash32.of(frame.array(), 4, 10) >>> 8));
    frame.putInt(0x8000_0001).put((byte) 'A').putInt(0);

    assertLieIsCheap(Encoding.LZ4, Arrays.copyOf(frame.array(), frame.position()));
  }

  private static void assertLieIsCheap(Encoding encoding, byte[] liar) {
    long allocated =
        allocatedBy(
            () ->
                assertThatThrownBy(
                        () -> Decompression.decompress(encoding, Slice.of(liar), 512 * MIB))
                    .isInstanceOf(MalformedRequestException.class)
                    .hasMessageContaining("says it has 524288000"));
    assertThat(allocated).isLessThan(MIB);
  }

  /** A block of sixteen letters, and one that repeats them from the block before it. */
  @Test
  void lz4_linkedBlocks_referToEarlierOnesUnlessIndependent() throws Exception {
    String blocks =
        "12000000f00130313233343536373839616263646566" + "100000000c1000c0" + "5a".repeat(12);
    String end = "00000000";

    assertThat(decompress(Encoding.LZ4, HexFormat.of().parseHex(LINKED + blocks + end)))
        .asString(US_ASCII)
        .isEqualTo("0123456789abcdef0123456789abcdefZZZZZZZZZZZZ");
    assertThatThrownBy(
            () -> decompress(Encoding.LZ4, HexFormat.of().parseHex(INDEPENDENT + blocks + end)))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessage("request: bad lz4 body: damaged: refers to bytes before its start");
  }

  @Test
  void lz4_severalFramesAndSkippableOnes_areOneStream() throws Exception {
    byte[] text = CodecRoundTripTest.text(3000);
    byte[] frame = Sent.LZ4.encode(text);
    byte[] skippable = HexFormat.of().parseHex("552a4d1803000000aabbcc");

    byte[] joined = join(frame, skippable, frame);

    assertThat(decompress(Encoding.LZ4, joined)).isEqualTo(join(text, text));
  }

  @Test
  void snappyFramed_skippableAndRepeatedIdentifier_areOneStream() throws Exception {
    byte[] text = CodecRoundTripTest.text(3000);
    byte[] stream = Sent.SNAPPY_FRAMED.encode(text);
    byte[] padding = HexFormat.of().parseHex("fe020000" + "0000" + "80010000" + "ff");

    assertThat(decompress(Encoding.SNAPPY, join(stream, padding, stream)))
        .isEqualTo(join(text, text));
  }

  @ParameterizedTest
  @CsvSource({
    "SNAPPY, ff060000734e6150705902000000, bad snappy body: a chunk of the reserved type 2",
    "SNAPPY, ff060000734e61507059ff0600007361507059, bad snappy body: truncated",
    "SNAPPY, 0501, bad snappy body: truncated",
    "SNAPPY, 040441, bad snappy body: truncated",
    "SNAPPY, 0801000000, bad snappy body: damaged: refers to bytes before its start",
    "SNAPPY, 01044142, bad snappy body: a block holds more than it says",
    "SNAPPY, ffffffffff, bad snappy body: damaged length",
    "LZ4, 00112233, bad lz4 body: not lz4",
    "LZ4, 04224d18ff40, bad lz4 body: unknown version or flags",
    "LZ4, 04224d186140, bad lz4 body: needs a dictionary (expected none)",
    "LZ4, 04224d186030, bad lz4 body: unknown block size",
    "LZ4, 04224d18604000, bad lz4 body: header checksum does not match",
    "ZLIB, 789c4b04000062006261, bad zlib body: junk after the end",
    "ZLIB, 78bb00000001, bad zlib body: needs a dictionary (expected none)",
    "ZLIB, 1f8b08, 'bad zlib body: damaged: incorrect header check'"
  })
  void decompress_malformed_saysWhy(Encoding encoding, String hex, String why) {
    assertThatThrownBy(() -> decompress(encoding, HexFormat.of().parseHex(hex)))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessage("request: " + why);
  }

  @Test
  void xxHash32_anyLength_isTheReferences() {
    byte[] bytes = noise(200);
    XXHash32 reference = XXHashFactory.safeInstance().hash32();
    for (int length = 0; length < 190; length++) {
      assertThat(XxHash32.of(bytes, 7, length)).isEqualTo(reference.hash(bytes, 7, length, 0));
    }
  }

  // conformance: H-15, H-16
  @Test
  void of_acceptedTokens_areKnownInAnyCase() {
    for (String token : Encoding.ACCEPTED.split(", ", -1)) {
      assertThat(Encoding.of(token)).as(token).isNotNull();
      assertThat(Encoding.of(" " + token.toUpperCase(Locale.ROOT))).isEqualTo(Encoding.of(token));
    }
    assertThat(Encoding.of(null)).isEqualTo(Encoding.IDENTITY);
    assertThat(Encoding.of("")).isEqualTo(Encoding.IDENTITY);
    assertThat(Encoding.of("br")).isNull();
    assertThat(Encoding.of("gzip, gzip")).isNull();
  }

  @FunctionalInterface
  private interface Wrapping {
    OutputStream around(OutputStream out) throws IOException;
  }

  private static byte[] through(byte[] plain, Wrapping wrapping) throws IOException {
    ByteArrayOutputStream encoded = new ByteArrayOutputStream();
    try (OutputStream out = wrapping.around(encoded)) {
      out.write(plain);
    }
    return encoded.toByteArray();
  }

  private static byte[] compress(Codec codec, byte[] bytes) {
    try (BlockCompressor compressor = new BlockCompressor()) {
      return compressor.compress(codec, Slice.of(bytes)).toByteArray();
    }
  }

  private static byte[] decompress(Encoding encoding, byte[] bytes)
      throws MalformedRequestException, PayloadTooLargeException {
    return Decompression.decompress(encoding, Slice.of(bytes), MIB).toByteArray();
  }

  private static long allocatedBy(Runnable action) {
    // Loads classes and fills pools first.
    action.run();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    action.run();
    return threads.getCurrentThreadAllocatedBytes() - before;
  }

  private static byte[] noise(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  private static byte[] padded(byte[] bytes) {
    byte[] padded = new byte[bytes.length + 7];
    System.arraycopy(bytes, 0, padded, 3, bytes.length);
    return padded;
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      joined.writeBytes(part);
    }
    return joined.toByteArray();
  }
}
