package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Utf8Test {
  private static final String TEXT = "plain, été, 日本語, 😀 and plain again";

  @Test
  void isValid_damagedText_asTheJdkDecodes() {
    Random random = new Random(44);
    byte[] text = TEXT.getBytes(StandardCharsets.UTF_8);
    int valid = 0;
    for (int i = 0; i < 200_000; i++) {
      byte[] buf = text.clone();
      if (random.nextBoolean()) {
        buf[random.nextInt(buf.length)] = (byte) random.nextInt(256);
      }
      int from = random.nextInt(buf.length);
      int to = from + random.nextInt(buf.length - from + 1);

      boolean expected = decodes(buf, from, to);
      assertThat(Utf8.isValid(buf, from, to)).isEqualTo(expected);
      valid += expected ? 1 : 0;
    }
    assertThat(valid).isBetween(20_000, 180_000);
  }

  /** All first and second bytes, and so every rule, with valid bytes behind them. */
  @Test
  void isValid_allLeadsAndSecondBytes_asTheJdkDecodes() {
    for (int lead = 0; lead < 256; lead++) {
      for (int second = 0; second < 256; second++) {
        byte[] buf = {(byte) lead, (byte) second, (byte) 0x80, (byte) 0xbf};
        for (int length = 1; length <= 4; length++) {
          assertThat(Utf8.isValid(buf, 0, length)).isEqualTo(decodes(buf, 0, length));
        }
      }
    }
  }

  private static boolean decodes(byte[] buf, int from, int to) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(buf, from, to - from));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }
}
