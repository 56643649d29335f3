package io.spillway.buffer;

import io.spillway.config.Section;
import io.spillway.config.Sizes;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The {@code buffer} section.
 *
 * @param maxBytes disk that all lanes together may reserve
 * @param minFree bytes that are left free on the file system
 * @param segmentBytes a segment is finished once it holds this much
 * @param lanes of lanes whose route says nothing else
 * @param keyFile the keys that blocks are encrypted with; null to store them as they are
 * @param deadLetters bounds of what sinks refused for good
 */
public record BufferConfig(
    Path directory,
    long maxBytes,
    long minFree,
    long segmentBytes,
    LaneSettings lanes,
    @Nullable Path keyFile,
    DeadLetterConfig deadLetters) {

  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  /** Room for one lane's first segment with the largest block. */
  private static final long MIN_MAX_BYTES = 8 * MIB;

  private static final LaneSettings DEFAULTS =
      new LaneSettings(
          8 * GIB, Duration.ofDays(3), WhenFull.REFUSE, Durability.PROCESS, Duration.ZERO);

  /** What an append to a full lane does. */
  public enum WhenFull {
    /** Refuses it, so that the sender keeps the data. */
    REFUSE,
    /** Gives up the lane's oldest segment, and counts every item of it. */
    DROP_OLDEST
  }

  /** What acknowledged data survives. */
  public enum Durability {
    /** The death of the process. */
    PROCESS,
    /** The death of the machine; an acknowledgement waits for the device. */
    POWER
  }

  /** Reads the section; what is wrong with it is reported there. */
  public static BufferConfig read(Section buffer) {
    long maxBytes = buffer.bytes("max_bytes", DEFAULTS.maxBytes(), MIN_MAX_BYTES, Long.MAX_VALUE);
    BufferConfig config =
        new BufferConfig(
            Path.of(buffer.string("directory", "./spillway-data")),
            maxBytes,
            buffer.bytes("min_free", 512 * MIB, 0, Long.MAX_VALUE),
            buffer.bytes("segment_bytes", 64 * MIB, MIB, 2 * GIB),
            readLane(buffer, maxBytes, DEFAULTS),
            readKeyFile(buffer),
            DeadLetterConfig.read(buffer.section("dead_letters"), maxBytes));
    if (!config.evictsByParts(config.lanes)) {
      buffer.problem(
          "segment_bytes",
          Sizes.format(config.segmentBytes)
              + " is above a quarter of max_bytes "
              + Sizes.format(maxBytes)
              + ", and drop_oldest gives up whole segments (expected at most "
              + Sizes.format(maxBytes / 4)
              + ")");
    }
    return config;
  }

  /** With the default bounds of dead letters. */
  public BufferConfig(
      Path directory,
      long maxBytes,
      long minFree,
      long segmentBytes,
      LaneSettings lanes,
      @Nullable Path keyFile) {
    this(
        directory,
        maxBytes,
        minFree,
        segmentBytes,
        lanes,
        keyFile,
        DeadLetterConfig.defaults(maxBytes));
  }

  /** Without encryption. */
  public BufferConfig(
      Path directory, long maxBytes, long minFree, long segmentBytes, LaneSettings lanes) {
    this(directory, maxBytes, minFree, segmentBytes, lanes, null);
  }

  private static @Nullable Path readKeyFile(Section buffer) {
    if (!buffer.has("encryption")) {
      return null;
    }
    Section encryption = buffer.section("encryption");
    String written = encryption.requiredString("key_file");
    if (written.isEmpty()) {
      return null;
    }
    Path keyFile = Path.of(written);
    try {
      KeyRing.check(keyFile);
    } catch (IOException e) {
      encryption.problem("key_file", String.valueOf(e.getMessage()));
    }
    return keyFile;
  }

  /** Reads what a route's own {@code buffer} section says, and takes the rest from here. */
  public LaneSettings readRoute(Section buffer) {
    long most = buffer.bytes("max_bytes", maxBytes, MIN_MAX_BYTES, Long.MAX_VALUE);
    LaneSettings settings = readLane(buffer, most, lanes);
    if (settings.maxBytes() > maxBytes) {
      buffer.problem(
          "max_bytes",
          Sizes.format(settings.maxBytes())
              + " is above buffer::max_bytes "
              + Sizes.format(maxBytes)
              + " (expected at most that)");
    }
    if (!evictsByParts(settings)) {
      buffer.problem(
          "max_bytes",
          Sizes.format(settings.maxBytes())
              + " is below four times buffer::segment_bytes "
              + Sizes.format(segmentBytes)
              + ", and drop_oldest gives up whole segments (expected at least "
              + Sizes.format(4 * segmentBytes)
              + ")");
    }
    return settings;
  }

  private static LaneSettings readLane(Section buffer, long maxBytes, LaneSettings defaults) {
    return new LaneSettings(
        maxBytes,
        buffer.duration("max_age", defaults.maxAge(), Duration.ofSeconds(1), Duration.ofDays(3650)),
        buffer.choice("when_full", WhenFull.class, defaults.whenFull()),
        buffer.choice("durability", Durability.class, defaults.durability()),
        buffer.duration(
            "keep_delivered", defaults.keepDelivered(), Duration.ZERO, Duration.ofDays(365)));
  }

  private boolean evictsByParts(LaneSettings settings) {
    return settings.whenFull() == WhenFull.REFUSE || segmentBytes <= settings.maxBytes() / 4;
  }
}
