package io.spillway.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BlockHeaderTest {
  private static final int ROUNDS = 2_000;
  private static final int MOST = 12_000;

  /** Against one that looks at every fourth byte, where zeros and noise come in runs. */
  @Test
  void find_zerosNoiseAndMagicAnywhere_isWhereOneByOneFindsIt() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int round = 0; round < ROUNDS; round++) {
      byte[] bytes = new byte[random.nextInt(MOST)];
      for (int runs = random.nextInt(4); runs > 0; runs--) {
        int from = random.nextInt(bytes.length + 1);
        byte[] noise = new byte[random.nextInt(Math.min(600, bytes.length - from) + 1)];
        random.nextBytes(noise);
        System.arraycopy(noise, 0, bytes, from, noise.length);
      }
      for (int magics = random.nextInt(3); magics > 0 && bytes.length >= 4; magics--) {
        littleEndian(bytes).putInt(random.nextInt(bytes.length - 3), BlockHeader.MAGIC);
      }
      int from = random.nextInt(Math.min(8, bytes.length + 1));
      int to = bytes.length - random.nextInt(Math.min(8, bytes.length - from + 1));

      assertThat(BlockHeader.find(bytes, from, to))
          .as("seed %d, round %d", seed, round)
          .isEqualTo(oneByOne(bytes, from, to));
    }
  }

  @Test
  void find_magicCutOffAtTheEnd_isNotThere() {
    byte[] bytes = new byte[64];
    littleEndian(bytes).putInt(60, BlockHeader.MAGIC);

    assertThat(BlockHeader.find(bytes, 0, 64)).isEqualTo(60);
    assertThat(BlockHeader.find(bytes, 0, 63)).isEqualTo(-1);
    assertThat(BlockHeader.find(Arrays.copyOf(bytes, 3), 0, 3)).isEqualTo(-1);
  }

  private static int oneByOne(byte[] bytes, int from, int to) {
    for (int at = from; at + 4 <= to; at += 4) {
      if (littleEndian(bytes).getInt(at) == BlockHeader.MAGIC) {
        return at;
      }
    }
    return -1;
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
