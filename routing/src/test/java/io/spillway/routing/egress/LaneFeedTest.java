package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.routing.DailyWindow;
import io.spillway.routing.DrainSettings;
import io.spillway.routing.DrainSettings.Order;
import io.spillway.routing.egress.LaneFeed.Fed;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Blocks are all accepted when the clock starts. */
@Timeout(30)
class LaneFeedTest {
  private static final Duration OUTAGE = Duration.ofHours(1);

  private final FakeClock clock = new FakeClock();
  private final FakeLane lane = new FakeLane();
  private final Blocks blocks = new Blocks();

  @Test
  void next_liveBlocks_inOrder() throws Exception {
    LaneFeed feed = feed(DrainSettings.DEFAULT);
    stored("a", "b", "c");

    assertThat(all(feed)).containsExactly("a", "b", "c");
    assertThat(lane.backlog).isEmpty();
  }

  @Test
  void next_liveFirstAndBehind_setsTheRestAside() throws Exception {
    LaneFeed feed = feed(DrainSettings.DEFAULT);
    stored("a", "b", "c");
    clock.advance(OUTAGE);

    assertThat(next(feed)).isEqualTo("a");
    stored("live");

    assertThat(all(feed)).containsExactly("live", "b (backlog)", "c (backlog)");
  }

  @Test
  void next_noRoomForBacklog_handsOutLiveOnly() throws Exception {
    LaneFeed feed = feed(DrainSettings.DEFAULT);
    feed.roomForBacklog(false);
    lane.backlog.add(blocks.block("old"));
    stored("live");

    assertThat(all(feed)).containsExactly("live");
    feed.roomForBacklog(true);
    assertThat(all(feed)).containsExactly("old (backlog)");
  }

  @Test
  void next_backlogUnreadableForAWhile_handsItOutLater() throws Exception {
    LaneFeed feed = feed(DrainSettings.DEFAULT);
    lane.backlog.add(blocks.block("old"));
    lane.backlogUnreadable = true;

    assertThat(all(feed)).isEmpty();
    lane.backlogUnreadable = false;
    stored("live");
    assertThat(all(feed)).containsExactly("live");
    clock.advance(LaneFeed.UNREADABLE_PAUSE);

    assertThat(all(feed)).containsExactly("old (backlog)");
  }

  @Test
  void next_drainRate_pacesTheBacklogAndNotTheLive() throws Exception {
    LaneFeed feed = feed(new DrainSettings(Order.LIVE_FIRST, 1, null));
    lane.backlog.add(blocks.block("old 1"));
    lane.backlog.add(blocks.block("old 2"));

    assertThat(all(feed)).containsExactly("old 1 (backlog)");
    stored("live");
    assertThat(all(feed)).containsExactly("live");
    clock.advance(Duration.ofDays(1));
    assertThat(all(feed)).containsExactly("old 2 (backlog)");
  }

  @Test
  void next_outsideTheWindow_keepsTheBacklog() throws Exception {
    clock.advance(Duration.ofMinutes(1));
    DailyWindow later =
        new DailyWindow(
            clock.instant().plusSeconds(3600).atZone(ZoneOffset.UTC).toLocalTime(),
            clock.instant().plusSeconds(7200).atZone(ZoneOffset.UTC).toLocalTime());
    LaneFeed feed = feed(new DrainSettings(Order.LIVE_FIRST, 0, later));
    lane.backlog.add(blocks.block("old"));

    assertThat(all(feed)).isEmpty();
    clock.advance(Duration.ofMinutes(61));
    assertThat(all(feed)).containsExactly("old (backlog)");
  }

  @Test
  void next_oldestFirstAndBehind_staysInOrder() throws Exception {
    LaneFeed feed = feed(new DrainSettings(Order.OLDEST_FIRST, 0, null));
    stored("a", "b");
    clock.advance(OUTAGE);
    stored("c");

    assertThat(all(feed)).containsExactly("a", "b", "c");
  }

  @Test
  void next_oldestFirstWithBacklogSetAsideBefore_takesItFirst() throws Exception {
    LaneFeed feed = feed(new DrainSettings(Order.OLDEST_FIRST, 0, null));
    lane.backlog.add(blocks.block("old"));
    stored("live");

    assertThat(all(feed)).containsExactly("old", "live");
  }

  @Test
  void next_oldestFirstWithRate_pacesWhatIsOld() throws Exception {
    LaneFeed feed = feed(new DrainSettings(Order.OLDEST_FIRST, 1, null));
    stored("a", "b");
    clock.advance(OUTAGE);

    assertThat(all(feed)).containsExactly("a");
    clock.advance(Duration.ofDays(1));
    assertThat(all(feed)).containsExactly("b");
  }

  private LaneFeed feed(DrainSettings settings) {
    return new LaneFeed(lane, settings, clock, clock::nanos, ZoneOffset.UTC);
  }

  private void stored(String... bodies) {
    for (String body : bodies) {
      lane.stored.add(blocks.block(body));
    }
  }

  private static List<String> all(LaneFeed feed) throws InterruptedException {
    List<String> all = new ArrayList<>();
    for (String body = next(feed); body != null; body = next(feed)) {
      all.add(body);
    }
    return all;
  }

  private static @Nullable String next(LaneFeed feed) throws InterruptedException {
    Fed fed = feed.next(Duration.ofMillis(1));
    if (fed == null) {
      return null;
    }
    String body = Blocks.bodies(fed.block().codec(), fed.block().payload()).getFirst();
    return fed.backlog() ? body + " (backlog)" : body;
  }
}
