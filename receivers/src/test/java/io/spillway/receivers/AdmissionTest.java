package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AdmissionTest {
  private static final long BOUND = 1000;

  private final Admission admission = new Admission(BOUND);
  private final Admission.Share connection = join(1);

  @Test
  void resize_withinBound_isHeldUntilClosed() {
    Admission.Ticket ticket = connection.ticket();

    assertThat(ticket.resize(400)).isTrue();
    assertThat(ticket.resize(700)).isTrue();
    assertThat(admission.inFlightBytes()).isEqualTo(700);
    assertThat(ticket.resize(100)).isTrue();
    assertThat(admission.inFlightBytes()).isEqualTo(100);

    ticket.close();
    ticket.close();
    assertThat(admission.inFlightBytes()).isZero();
    assertThat(connection.heldBytes()).isZero();
  }

  @Test
  void resize_greedyConnection_leavesAFifth() {
    assertThat(hold(connection, 10)).isEqualTo(800);
    assertThat(admission.inFlightBytes()).isEqualTo(800);
  }

  @Test
  void resize_besideGreedyConnection_getsASmallPartOfTheReserve() {
    hold(connection, 10);

    assertThat(hold(join(1), 1)).isEqualTo(11);
    assertThat(hold(join(1), 1)).isEqualTo(11);
    assertThat(hold(connection, 1)).isZero();
  }

  @Test
  void resize_rowOfGreedyConnections_leavesRoomForTheNext() {
    for (int i = 0; i < 20; i++) {
      hold(join(1), 1);
    }

    assertThat(admission.inFlightBytes()).isLessThan(BOUND);
    assertThat(join(1).ticket().resize(3)).isTrue();
  }

  @Test
  void resize_manyConnectionsOfOneAddressBesideAnother_leaveHalfOfTheReserve() {
    Admission.Share other = join(2);
    for (int i = 0; i < 100; i++) {
      hold(join(1), 1);
    }

    assertThat(admission.inFlightBytes()).isBetween(860L, 900L);
    assertThat(join(1).ticket().resize(1)).isFalse();
    assertThat(other.ticket().resize(6)).isTrue();
  }

  @Test
  void resize_otherAddressGone_reserveIsForAll() {
    Admission.Share other = join(2);
    for (int i = 0; i < 100; i++) {
      hold(join(1), 1);
    }
    assertThat(join(1).ticket().resize(1)).isFalse();

    other.leave();

    assertThat(join(1).ticket().resize(1)).isTrue();
  }

  @Test
  void resize_endWasMet_newRequestsWaitUntilWellBelow() {
    List<Admission.Ticket> tickets = fill(connection, 80, 10);
    assertThat(connection.ticket().resize(10)).isFalse();

    tickets.subList(64, 80).forEach(Admission.Ticket::close);
    assertThat(connection.ticket().resize(10)).as("640 in flight").isFalse();
    assertThat(join(1).ticket().resize(10)).as("of the reserve").isTrue();

    tickets.subList(62, 64).forEach(Admission.Ticket::close);
    assertThat(connection.ticket().resize(10)).as("630 in flight").isTrue();
    assertThat(connection.ticket().resize(160)).as("800 in flight").isTrue();
  }

  @Test
  void resize_endWasMet_requestsLetInGoOnToIt() {
    List<Admission.Ticket> tickets = fill(connection, 79, 10);
    assertThat(connection.ticket().resize(20)).isFalse();
    Admission.Ticket small = join(1).ticket();
    assertThat(small.resize(5)).isTrue();

    assertThat(tickets.getFirst().resize(15)).isTrue();
    assertThat(tickets.getFirst().resize(16)).isFalse();
    assertThat(small.resize(50)).isFalse();
    tickets.subList(40, 60).forEach(Admission.Ticket::close);
    assertThat(small.resize(50)).isTrue();
  }

  @Test
  void resize_largeRequestDoesNotFit_othersAreNotTurnedAwayForIt() {
    hold(connection, 10, 40);
    assertThat(join(1).ticket().resize(BOUND)).isFalse();

    assertThat(connection.ticket().resize(300)).isTrue();
  }

  @Test
  void resize_largerThanBound_isLetInBesideSmallOnesAndOnlyOnce() {
    Admission.Share small = join(1);
    assertThat(hold(small, 300, 1)).isEqualTo(300);

    assertThat(connection.ticket().resize(BOUND * 64)).isTrue();
    assertThat(connection.ticket().resize(BOUND * 64)).isFalse();
    assertThat(join(1).ticket().resize(BOUND * 64)).isFalse();
    assertThat(admission.inFlightBytes()).isEqualTo(300 + BOUND * 64);
    assertThat(join(1).ticket().resize(10)).isTrue();
  }

  @Test
  void resize_afterClose_isRefused() {
    Admission.Ticket ticket = connection.ticket();
    ticket.close();

    assertThat(ticket.resize(1)).isFalse();
    assertThat(admission.inFlightBytes()).isZero();
  }

  @Test
  void create_withoutRoom_throws() {
    assertThatThrownBy(() -> new Admission(1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("admission: 1 bytes (expected >= 2)");
  }

  @Test
  void create_ofConfig_isAFourthOfTheHeapOrWhatIsWritten() {
    assertThat(AdmissionConfig.DEFAULT.create(256 << 20).maxBytes()).isEqualTo(64 << 20);
    assertThat(new AdmissionConfig(7).create(256 << 20).maxBytes()).isEqualTo(7 << 20);
  }

  private Admission.Share join(int machine) {
    try {
      return admission.join(InetAddress.getByAddress(new byte[] {10, 0, 0, (byte) machine}));
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }

  /** Takes as many requests of a size as are let in; what they hold. */
  private static long hold(Admission.Share share, int bytes) {
    return hold(share, bytes, 1000);
  }

  private static long hold(Admission.Share share, int bytes, int most) {
    long held = 0;
    for (int i = 0; i < most && share.ticket().resize(bytes); i++) {
      held += bytes;
    }
    return held;
  }

  private static List<Admission.Ticket> fill(Admission.Share share, int requests, int bytes) {
    List<Admission.Ticket> tickets = new ArrayList<>();
    for (int i = 0; i < requests; i++) {
      Admission.Ticket ticket = share.ticket();
      assertThat(ticket.resize(bytes)).isTrue();
      tickets.add(ticket);
    }
    return tickets;
  }
}
