package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class AdmissionTest {
  private final Admission admission = new Admission(100);

  @Test
  void resize_withinBound_isHeldUntilClosed() {
    Admission.Ticket ticket = admission.ticket();

    assertThat(ticket.resize(40)).isTrue();
    assertThat(ticket.resize(70)).isTrue();
    assertThat(admission.inFlightBytes()).isEqualTo(70);
    assertThat(ticket.resize(10)).isTrue();
    assertThat(admission.inFlightBytes()).isEqualTo(10);

    ticket.close();
    ticket.close();
    assertThat(admission.inFlightBytes()).isZero();
  }

  @Test
  void resize_overBoundBesideOthers_isRefusedAndChangesNothing() {
    assertThat(admission.ticket().resize(60)).isTrue();
    Admission.Ticket second = admission.ticket();

    assertThat(second.resize(40)).isTrue();
    assertThat(second.resize(41)).isFalse();
    assertThat(second.resize(Long.MAX_VALUE)).isFalse();
    assertThat(admission.inFlightBytes()).isEqualTo(100);
  }

  @Test
  void resize_overBoundAlone_isLetIn() {
    Admission.Ticket large = admission.ticket();
    Admission.Ticket small = admission.ticket();

    assertThat(large.resize(1000)).isTrue();
    assertThat(small.resize(1)).isFalse();

    large.close();
    assertThat(small.resize(1)).isTrue();
  }

  @Test
  void resize_afterClose_isRefused() {
    Admission.Ticket ticket = admission.ticket();
    ticket.close();

    assertThat(ticket.resize(1)).isFalse();
    assertThat(admission.inFlightBytes()).isZero();
  }

  @Test
  void create_withoutRoom_throws() {
    assertThatThrownBy(() -> new Admission(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("admission: 0 bytes (expected >= 1)");
  }
}
