package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Utf8Test {
  private static final String TEXT = "plain, été, 日本語, 😀 and plain again";

  @Test
  void isValid_damagedText_asTheJdkDecodes() {
    Random random = new Random(44);
    byte[] text = TEXT.getBytes(StandardCharsets.UTF_8);
    int valid = 0;
    for (int i = 0; i < 50_000; i++) {
      byte[] buf = text.clone();
      if (random.nextBoolean()) {
        buf[random.nextInt(buf.length)] = (byte) random.nextInt(256);
      }
      int from = random.nextInt(buf.length);
      int to = from + random.nextInt(buf.length - from + 1);

      boolean expected = decodes(buf, from, to);
      if (Utf8.isValid(buf, from, to) != expected) {
        fail(HexFormat.of().formatHex(buf, from, to));
      }
      valid += expected ? 1 : 0;
    }
    assertThat(valid).isBetween(5_000, 45_000);
  }

  /** All first and second bytes, and so every rule, with valid bytes behind them. */
  @Test
  void isValid_allLeadsAndSecondBytes_asTheJdkDecodes() {
    for (int lead = 0; lead < 256; lead++) {
      for (int second = 0; second < 256; second++) {
        byte[] buf = {(byte) lead, (byte) second, (byte) 0x80, (byte) 0xbf};
        for (int length = 1; length <= 4; length++) {
          if (Utf8.isValid(buf, 0, length) != decodes(buf, 0, length)) {
            fail(HexFormat.of().formatHex(buf, 0, length));
          }
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
