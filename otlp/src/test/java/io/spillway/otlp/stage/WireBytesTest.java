package io.spillway.otlp.stage;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class WireBytesTest {
  private final WireBytes bytes = new WireBytes();

  @Test
  void add_beforeTheEnd_counts() {
    assertThat(bytes.add(3)).isTrue();
    assertThat(bytes.add(4)).isTrue();

    assertThat(bytes.count()).isEqualTo(7);
    assertThat(bytes.end()).isEqualTo(7);
  }

  @Test
  void add_afterTheEnd_isLeftToOthers() {
    bytes.add(3);
    bytes.end();

    assertThat(bytes.add(4)).isFalse();
    assertThat(bytes.takeBack(1)).isZero();

    assertThat(bytes.count()).isEqualTo(3);
    assertThat(bytes.end()).isEqualTo(3);
  }

  @Test
  void add_afterTheEndOfNothing_isLeftToOthers() {
    assertThat(bytes.end()).isZero();

    assertThat(bytes.add(4)).isFalse();
  }

  @Test
  void takeBack_moreThanThereIs_takesWhatThereIs() {
    bytes.add(5);

    assertThat(bytes.takeBack(2)).isEqualTo(2);
    assertThat(bytes.takeBack(9)).isEqualTo(3);

    assertThat(bytes.count()).isZero();
  }
}
