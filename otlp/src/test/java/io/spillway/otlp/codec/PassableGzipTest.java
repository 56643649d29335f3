package io.spillway.otlp.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.Codec;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression.Room;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which gzip of senders may be stored as it is, and what stored gzip tells. */
@Timeout(60)
class PassableGzipTest {
  private static final int LIMIT = 1 << 20;
  private static final byte[] TEXT = CodecRoundTripTest.text(3000);

  @BeforeAll
  static void loadLibrary() {
    assertThat(GzipLibrary.load()).isNotEmpty();
  }

  @Test
  void request_oneGoodMember_isKeptBesideItsContent() throws Exception {
    byte[] member = gzip(TEXT, Deflater.DEFAULT_COMPRESSION);
    byte[] larger = new byte[member.length + 7];
    System.arraycopy(member, 0, larger, 5, member.length);
    Slice input = new Slice(larger, 5, member.length);

    RequestBytes request = request(Encoding.GZIP, input);

    assertThat(request.plain().toByteArray()).isEqualTo(TEXT);
    assertThat(request.gzip()).isSameAs(input);
    assertThat(request.length()).isEqualTo(3000);
    assertThat(request.retainedBytes())
        .isEqualTo(request.plain().array().length + (long) larger.length);
    assertThat(request.withoutGzip().gzip()).isNull();
    assertThat(request.withoutGzip().plain()).isSameAs(request.plain());
  }

  @Test
  void request_severalMembers_areNotKept() throws Exception {
    byte[] member = gzip(TEXT, Deflater.DEFAULT_COMPRESSION);
    byte[] empty = gzip(new byte[0], Deflater.DEFAULT_COMPRESSION);

    assertNotKept(join(member, member), 6000);
    assertNotKept(join(member, empty), 3000);
    assertNotKept(join(empty, member), 3000);
  }

  /** Text, header checksum, extra field, name, comment. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8, 16})
  void request_optionalHeaderField_isNotKept(int flag) throws Exception {
    byte[] member = gzip(TEXT, Deflater.DEFAULT_COMPRESSION);
    byte[] header = Arrays.copyOf(member, 10);
    header[3] = (byte) flag;
    CRC32 crc = new CRC32();
    crc.update(header);
    byte[] field =
        switch (flag) {
          case 2 -> new byte[] {(byte) crc.getValue(), (byte) (crc.getValue() >> 8)};
          case 4 -> new byte[] {1, 0, 9};
          case 8, 16 -> new byte[] {'a', 0};
          default -> new byte[0];
        };

    assertNotKept(join(join(header, field), Arrays.copyOfRange(member, 10, member.length)), 3000);
  }

  @Test
  void request_hardlyCompressed_isNotKept() throws Exception {
    byte[] half = TEXT.clone();
    byte[] noise = new byte[1700];
    new Random(1).nextBytes(noise);
    System.arraycopy(noise, 0, half, 0, noise.length);

    assertNotKept(gzip(TEXT, Deflater.NO_COMPRESSION), 3000);
    assertNotKept(gzip(half, Deflater.BEST_COMPRESSION), 3000);
    assertNotKept(gzip(new byte[0], Deflater.BEST_COMPRESSION), 0);
  }

  @Test
  void request_otherEncoding_isNotKept() throws Exception {
    try (BlockCompressor compressor = new BlockCompressor()) {
      Slice zstd = compressor.compress(Codec.ZSTD, Slice.of(TEXT));

      assertThat(request(Encoding.ZSTD, zstd).gzip()).isNull();
      assertThat(request(Encoding.IDENTITY, Slice.of(TEXT)).gzip()).isNull();
    }
  }

  @Test
  void isOurs_whatWeCompress_isOneOfOurs() throws Exception {
    try (BlockCompressor compressor = new BlockCompressor()) {
      byte[] ours = compressor.compress(Codec.GZIP, Slice.of(TEXT)).toByteArray();
      byte[] theirs = gzip(TEXT, Deflater.DEFAULT_COMPRESSION);

      assertThat(GzipMembers.isOurs(Slice.of(ours), 3000)).isTrue();
      assertThat(GzipMembers.isOne(Slice.of(ours), 3000)).isTrue();
      assertThat(GzipMembers.isOurs(Slice.of(theirs), 3000)).isFalse();
      assertThat(GzipMembers.isOne(Slice.of(theirs), 3000)).isTrue();
      assertThat(GzipMembers.isOurs(Slice.of(join(ours, theirs)), 6000)).isFalse();
      assertThat(GzipMembers.isOne(Slice.of(join(ours, theirs)), 6000)).isFalse();
      assertThat(GzipMembers.isOne(Slice.EMPTY, 0)).isFalse();
    }
  }

  private static void assertNotKept(byte[] gzip, int length) throws Exception {
    RequestBytes request = request(Encoding.GZIP, Slice.of(gzip));

    assertThat(request.gzip()).isNull();
    assertThat(request.length()).isEqualTo(length);
  }

  private static RequestBytes request(Encoding encoding, Slice input) throws Exception {
    return Decompression.request(encoding, input, LIMIT, Room.ENDLESS);
  }

  private static byte[] gzip(byte[] bytes, int level) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip =
        new GZIPOutputStream(out) {
          {
            def.setLevel(level);
          }
        }) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  private static byte[] join(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }
}
