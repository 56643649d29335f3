package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.MIB;
import static io.spillway.buffer.LaneFixture.append;
import static io.spillway.buffer.LaneFixture.assertBalanced;
import static io.spillway.buffer.LaneFixture.await;
import static io.spillway.buffer.LaneFixture.deliver;
import static io.spillway.buffer.SegmentDamage.truncate;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.BufferConfig.Durability;
import io.spillway.buffer.BufferConfig.WhenFull;
import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.DropReason;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.LaneLedger;
import io.spillway.otlp.stage.Settlement;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * Three lanes of one buffer beside a plain model in memory, and random steps on both: appends,
 * backlogs set aside, polls on both sides, settlements in any order, a moving clock, a disk that
 * fills up in the middle of a write, restarts, crashes, loss of everything not forced, and damage
 * to segments. After every step each lane's ledger balances and shows what was acknowledged; at the
 * end everything acknowledged was handed out whole, or is counted as dropped for a reason that the
 * steps gave.
 */
final class LaneModel {
  private static final long SEGMENT = MIB;
  private static final Duration MAX_AGE = Duration.ofHours(6);
  private static final int MAX_REQUEST = 20_000;

  private final Path directory;
  private final long seed;
  private final boolean damages;
  private final Random random;
  private final FakeClock clock = new FakeClock();
  private final List<Modelled> lanes = new ArrayList<>();
  private Path current;
  private ModelDisk disk;
  private Buffer buffer;
  private int generation;

  /**
   * @param damages whether bytes of segments change, and segments vanish, while nobody runs
   */
  LaneModel(Path directory, long seed, boolean damages) {
    this.directory = directory;
    this.seed = seed;
    this.damages = damages;
    this.random = new Random(seed);
    lanes.add(new Modelled("refusing", WhenFull.REFUSE, Durability.PROCESS, 16 * MIB));
    lanes.add(new Modelled("forced", WhenFull.REFUSE, Durability.POWER, 16 * MIB));
    lanes.add(new Modelled("evicting", WhenFull.DROP_OLDEST, Durability.PROCESS, 4 * MIB));
  }

  /** One lane and what is known about it. */
  private static final class Modelled {
    final LaneId id;
    final LaneSettings settings;

    /** Items of acknowledged requests that were not handed out yet, by the request's id. */
    final Map<Long, Integer> waiting = new HashMap<>();

    /** Of those that were, to recognise what comes again. */
    final Map<Long, Integer> handedOut = new HashMap<>();

    final List<Block> inFlight = new ArrayList<>();
    Lane lane;
    long nextId;
    long routed;
    long sampledOut;

    Modelled(String route, WhenFull whenFull, Durability durability, long maxBytes) {
      this.id = new LaneId(route, Signal.LOGS);
      this.settings = new LaneSettings(maxBytes, MAX_AGE, whenFull, durability, Duration.ZERO);
    }
  }

  /** A disk that can run out of room, and that remembers how much of a file was forced. */
  private static final class ModelDisk implements DiskSpace {
    private final DiskSpace real;
    private final Map<String, Long> forced = new ConcurrentHashMap<>();
    volatile long usable = 1L << 40;

    /** What can still be written before the next write fails in its middle. */
    final AtomicLong room = new AtomicLong(Long.MAX_VALUE);

    ModelDisk(Path directory) throws IOException {
      real = DiskSpace.of(Files.createDirectories(directory));
    }

    @Override
    public long usableBytes() {
      return usable;
    }

    @Override
    public void fillWithZeros(Path file, long from, long to) throws IOException {
      long fits = Math.min(to - from, room.get());
      room.addAndGet(-fits);
      real.fillWithZeros(file, from, from + fits);
      if (fits < to - from) {
        throw new IOException("No space left on device");
      }
    }

    @Override
    public void force(FileChannel channel, Path file) throws IOException {
      long before = forced.getOrDefault(key(file), 0L);
      forced.put(key(file), Math.max(before, SegmentScan.scan(file, before).endPosition()));
    }

    /** How much of a segment survives; all of one that was there at the start. */
    long forcedBytes(Path segment) {
      return forced.getOrDefault(key(segment), 0L);
    }

    void foundAtStart(Path segment) {
      forced.put(key(segment), Long.MAX_VALUE);
    }

    /** A segment is renamed when a later queue takes it over. */
    private static String key(Path segment) {
      String name = segment.toString();
      return name.substring(0, name.lastIndexOf('.'));
    }
  }

  /** Runs the steps; fails with the seed and the step in the message. */
  void run(int steps) throws Exception {
    current = directory.resolve("0");
    start();
    for (int step = 0; step < steps; step++) {
      String where = "seed " + seed + ", step " + step;
      try {
        step();
      } catch (Exception | AssertionError e) {
        throw new AssertionError(where, e);
      }
      check(where);
    }
    drain();
    check("seed " + seed + ", end");
    buffer.close();
  }

  private void step() throws Exception {
    Modelled lane = lanes.get(random.nextInt(lanes.size()));
    switch (random.nextInt(1000)) {
      case 0, 1 -> restart(false);
      case 2, 3 -> crash();
      case 4, 5 -> losePower();
      case 6, 7 -> restart(damages);
      case 8, 9, 10, 11, 12 -> disk.usable = random.nextBoolean() ? 0 : 1L << 40;
      case 13, 14, 15, 16, 17 ->
          disk.room.set(random.nextBoolean() ? random.nextInt(1 << 20) : Long.MAX_VALUE);
      case 18, 19, 20 -> clock.advance(Duration.ofMinutes(random.nextInt(90)));
      case 21, 22, 23, 24, 25, 26, 27, 28 -> lane.lane.setAside();
      default -> {
        int kind = random.nextInt(3);
        if (kind == 0) {
          store(lane);
        } else if (kind == 1) {
          poll(lane);
        } else {
          settle(lane);
        }
      }
    }
  }

  // ---- ends of the process

  private void start() throws Exception {
    disk = new ModelDisk(current);
    for (Modelled lane : lanes) {
      segments(current, lane).forEach(disk::foundAtStart);
    }
    LaneSettings defaults = lanes.getFirst().settings;
    buffer = Buffer.open(new BufferConfig(current, 64 * MIB, MIB, SEGMENT, defaults), clock, disk);
    for (Modelled lane : lanes) {
      lane.lane = buffer.lane(lane.id, Codec.NONE, lane.settings);
      lane.inFlight.clear();
    }
  }

  private void restart(boolean damage) throws Exception {
    buffer.close();
    if (damage) {
      for (Modelled lane : lanes) {
        damage(segments(current, lane));
      }
    }
    start();
  }

  private void crash() throws Exception {
    Path next = nextDirectory();
    LaneFixture.crashCopy(current, next);
    moveTo(next);
  }

  /**
   * Everything after the last force is gone, except in the small files: the kernel may write back
   * what it likes.
   */
  private void losePower() throws Exception {
    Path next = nextDirectory();
    LaneFixture.crashCopy(current, next);
    for (Modelled lane : lanes) {
      for (Path segment : segments(next, lane)) {
        Path original = current.resolve(next.relativize(segment).toString());
        long kept = disk.forcedBytes(original);
        if (kept == 0) {
          Files.delete(segment); // nor was its name
        } else {
          truncate(segment, kept);
        }
      }
      if (lane.settings.durability() == Durability.POWER && random.nextBoolean()) {
        Files.delete(new LanePaths(next).of(lane.id).resolve("appended"));
      }
    }
    moveTo(next);
    for (Modelled lane : lanes) {
      if (lane.settings.durability() == Durability.POWER) {
        assertThat(lane.lane.ledger().routed()).isEqualTo(lane.routed);
      }
    }
  }

  private Path nextDirectory() {
    return directory.resolve(String.valueOf(++generation));
  }

  private void moveTo(Path next) throws Exception {
    buffer.close();
    Path old = current;
    current = next;
    start();
    try (Stream<Path> files = Files.walk(old)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    }
  }

  private static List<Path> segments(Path directory, Modelled lane) {
    return Files.isDirectory(new LanePaths(directory).of(lane.id))
        ? LaneFixture.segments(directory, lane.id)
        : List.of();
  }

  /** Bytes flipped anywhere in a segment, or the segment cut, emptied or deleted. */
  private void damage(List<Path> segments) throws IOException {
    if (segments.isEmpty()) {
      return;
    }
    Path segment = segments.get(random.nextInt(segments.size()));
    switch (random.nextInt(6)) {
      case 0 -> Files.delete(segment);
      case 1 -> truncate(segment, 0);
      case 2 -> truncate(segment, random.nextInt((int) SEGMENT));
      default -> {
        try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "rw")) {
          for (int i = 0; i < 4; i++) {
            file.seek(random.nextInt((int) SEGMENT));
            file.write(LaneFixture.bytes(1 + random.nextInt(8), random.nextLong()));
          }
        }
      }
    }
  }

  // ---- what callers do

  private void store(Modelled lane) {
    int items = random.nextInt(20);
    int sampledOut = random.nextInt(5);
    byte[] request = items == 0 ? new byte[0] : request(lane, 8 + random.nextInt(MAX_REQUEST));
    if (await(append(lane.lane, request, items, sampledOut)) == null) {
      lane.routed += items + sampledOut;
      lane.sampledOut += sampledOut;
      if (items > 0) {
        lane.waiting.put(lane.nextId - 1, items);
      }
    }
  }

  private byte[] request(Modelled lane, int length) {
    return content(lane.nextId++, length);
  }

  private static byte[] content(long id, int length) {
    byte[] content = LaneFixture.bytes(length, id);
    ByteBuffer.wrap(content).putLong(id);
    return content;
  }

  private void poll(Modelled lane) throws Exception {
    boolean fromBacklog = random.nextInt(3) == 0;
    Block block = fromBacklog ? lane.lane.pollBacklog() : lane.lane.poll(LaneFixture.NO_WAIT);
    if (block != null) {
      check(lane, block);
      lane.inFlight.add(block);
    }
  }

  private static void check(Modelled lane, Block block) {
    byte[] payload = block.payload().toByteArray();
    long id = ByteBuffer.wrap(payload).getLong();
    assertThat(payload).isEqualTo(content(id, payload.length));
    Integer items = lane.waiting.remove(id);
    if (items == null) {
      assertThat(block.redelivery()).as("request %d again", id).isTrue();
      items = lane.handedOut.get(id);
    }
    assertThat(block.items()).as("items of request %d", id).isEqualTo(items);
    lane.handedOut.put(id, items);
  }

  private void settle(Modelled lane) {
    if (lane.inFlight.isEmpty()) {
      return;
    }
    Block block = lane.inFlight.remove(random.nextInt(lane.inFlight.size()));
    int delivered = random.nextInt(block.items() + 1);
    lane.lane.settle(
        block,
        Settlement.delivered("exporter/" + random.nextInt(3), delivered)
            .and(Settlement.dropped(DropReason.BAD_DATA, block.items() - delivered)));
  }

  private void drain() throws Exception {
    disk.usable = 1L << 40;
    disk.room.set(Long.MAX_VALUE);
    for (Modelled lane : lanes) {
      lane.inFlight.forEach(block -> deliver(lane.lane, block));
      lane.inFlight.clear();
      drain(lane, lane.lane::pollBacklog);
      drain(lane, () -> lane.lane.poll(LaneFixture.NO_WAIT));
      checkDrained(lane);
    }
  }

  private static void drain(Modelled lane, Callable<Block> next) throws Exception {
    for (Block block = next.call(); block != null; block = next.call()) {
      check(lane, block);
      deliver(lane.lane, block);
    }
  }

  // ---- what must hold

  private void check(String where) {
    for (Modelled lane : lanes) {
      LaneLedger ledger = lane.lane.ledger();
      assertBalanced(ledger);
      assertThat(ledger.routed()).as("%s, %s", where, lane.id).isEqualTo(lane.routed);
      assertThat(ledger.sampledOut()).as("%s, %s", where, lane.id).isEqualTo(lane.sampledOut);
    }
  }

  private void checkDrained(Modelled lane) {
    String where = "seed " + seed + ", " + lane.id + ", drained";
    LaneLedger ledger = lane.lane.ledger();
    assertThat(ledger.buffered()).as(where).isZero();
    long missing = lane.waiting.values().stream().mapToLong(Integer::longValue).sum();
    long counted =
        Stream.of(DropReason.EVICTED, DropReason.EXPIRED, DropReason.CORRUPT)
            .mapToLong(reason -> ledger.dropped().getOrDefault(reason.label(), 0L))
            .sum();
    assertThat(missing).as(where).isLessThanOrEqualTo(counted);
    assertThat(lane.handedOut).as(where).isNotEmpty();
    if (lane.settings.whenFull() == WhenFull.REFUSE) {
      assertThat(ledger.dropped()).as(where).doesNotContainKey(DropReason.EVICTED.label());
    }
    if (lane.settings.durability() == Durability.POWER && !damages) {
      assertThat(ledger.dropped()).as(where).doesNotContainKey(DropReason.CORRUPT.label());
    }
  }
}
