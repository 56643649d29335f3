package io.spillway.otlp.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import io.spillway.otlp.Codec;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class CodecRoundTripTest {
  @BeforeAll
  static void loadLibrary() {
    assertThat(GzipLibrary.load()).isNotEmpty();
  }

  private static final int MIB = 1024 * 1024;

  @ParameterizedTest
  @EnumSource(Codec.class)
  void compress_anySize_decompressesToTheSame(Codec codec) throws Exception {
    try (BlockCompressor compressor = new BlockCompressor()) {
      for (int size : new int[] {0, 1, 2, 100, 65_535, 65_536, 131_073, 3 * MIB}) {
        for (byte[] bytes : new byte[][] {text(size), noise(size), new byte[size]}) {
          Slice compressed = compressor.compress(codec, Slice.of(bytes));
          assertThat(Decompression.decompress(codec, compressed, size).toByteArray())
              .isEqualTo(bytes);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Codec.class)
  void compress_sliceInsideArray_takesOnlyItsRange(Codec codec) throws Exception {
    byte[] array = text(1000);
    byte[] expected = Arrays.copyOfRange(array, 100, 800);

    try (BlockCompressor compressor = new BlockCompressor()) {
      Slice compressed = compressor.compress(codec, new Slice(array, 100, 700));
      byte[] surrounded = new byte[compressed.length() + 20];
      Arrays.fill(surrounded, (byte) 0x55);
      System.arraycopy(
          compressed.array(), compressed.offset(), surrounded, 10, compressed.length());

      Slice within = new Slice(surrounded, 10, compressed.length());
      assertThat(Decompression.decompress(codec, within, MIB).toByteArray()).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @EnumSource(Codec.class)
  void compress_calledAgain_leavesEarlierResultAlone(Codec codec) throws Exception {
    try (BlockCompressor compressor = new BlockCompressor()) {
      Slice first = compressor.compress(codec, Slice.of(text(5000)));
      Slice unused = compressor.compress(codec, Slice.of(noise(9000)));

      assertThat(Decompression.decompress(codec, first, MIB).toByteArray()).isEqualTo(text(5000));
      assertThat(unused.array()).isNotSameAs(first.array());
    }
  }

  @Test
  void compress_none_returnsArgument() throws Exception {
    Slice bytes = Slice.of(text(10));
    try (BlockCompressor compressor = new BlockCompressor()) {
      assertThat(compressor.compress(Codec.NONE, bytes)).isSameAs(bytes);
    }
    assertThat(Decompression.decompress(Codec.NONE, bytes, 10)).isSameAs(bytes);
  }

  @Test
  void compress_gzip_isReadByTheJdk() throws Exception {
    try (BlockCompressor compressor = new BlockCompressor()) {
      Slice compressed = compressor.compress(Codec.GZIP, Slice.of(text(MIB)));
      try (GZIPInputStream in =
          new GZIPInputStream(new ByteArrayInputStream(compressed.toByteArray()))) {
        assertThat(in.readAllBytes()).isEqualTo(text(MIB));
      }
      assertThat(compressed.length()).isLessThan(MIB / 4);
    }
  }

  @Test
  void compress_zstd_saysItsContentSize() {
    try (BlockCompressor compressor = new BlockCompressor()) {
      Slice compressed = compressor.compress(Codec.ZSTD, Slice.of(text(MIB)));
      assertThat(Zstd.getFrameContentSize(compressed.toByteArray())).isEqualTo(MIB);
      assertThat(compressed.length()).isLessThan(MIB / 4);
    }
  }

  @Test
  void close_twice_isSafeAndFurtherUseFails() {
    BlockCompressor compressor = new BlockCompressor();
    compressor.compress(Codec.GZIP, Slice.EMPTY);
    compressor.compress(Codec.ZSTD, Slice.EMPTY);

    compressor.close();
    compressor.close();

    assertThatThrownBy(() -> compressor.compress(Codec.ZSTD, Slice.EMPTY))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("compressor: already closed");
  }

  @ParameterizedTest
  @EnumSource(Codec.class)
  void decompress_limit_isExact(Codec codec) throws Exception {
    for (int size : new int[] {1, 1000, 1024, 1025, 200_000}) {
      try (BlockCompressor compressor = new BlockCompressor()) {
        Slice compressed = compressor.compress(codec, Slice.of(noise(size)));

        assertThat(Decompression.decompress(codec, compressed, size).length()).isEqualTo(size);
        assertThatThrownBy(() -> Decompression.decompress(codec, compressed, size - 1))
            .isInstanceOf(PayloadTooLargeException.class);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = Codec.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  void decompress_manyThreads_shareDecodersSafely(Codec codec) throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var tasks =
          IntStream.range(0, 64)
              .mapToObj(
                  i ->
                      (Callable<Boolean>)
                          () -> {
                            byte[] bytes = text(10_000 + i);
                            try (BlockCompressor compressor = new BlockCompressor()) {
                              Slice c = compressor.compress(codec, Slice.of(bytes));
                              Slice d = Decompression.decompress(codec, c, MIB);
                              return Arrays.equals(d.toByteArray(), bytes);
                            }
                          })
              .toList();
      for (var done : threads.invokeAll(tasks)) {
        assertThat(done.get()).isTrue();
      }
    }
  }

  static byte[] text(int size) {
    byte[] line = "span of payments.eu with http.route=/v1/pay\n".getBytes(StandardCharsets.UTF_8);
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (line[i % line.length] + (i / 1000) % 3);
    }
    return bytes;
  }

  static byte[] noise(int size) {
    byte[] bytes = new byte[size];
    new Random(42).nextBytes(bytes);
    return bytes;
  }
}
