package io.spillway.buffer;

import io.spillway.config.Section;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The {@code buffer} section.
 *
 * @param maxBytes disk that all lanes together may reserve
 * @param maxAge blocks older than this are given up
 * @param minFree bytes that are left free on the file system
 * @param segmentBytes a segment is finished once it holds this much
 */
public record BufferConfig(
    Path directory,
    long maxBytes,
    Duration maxAge,
    long minFree,
    long segmentBytes,
    WhenFull whenFull,
    Durability durability) {

  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  /** Room for one lane's first segment with the largest block. */
  private static final long MIN_MAX_BYTES = 8 * MIB;

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
    BufferConfig config =
        new BufferConfig(
            Path.of(buffer.string("directory", "./spillway-data")),
            buffer.bytes("max_bytes", 8 * GIB, MIN_MAX_BYTES, Long.MAX_VALUE),
            buffer.duration(
                "max_age", Duration.ofDays(3), Duration.ofSeconds(1), Duration.ofDays(3650)),
            buffer.bytes("min_free", 512 * MIB, 0, Long.MAX_VALUE),
            buffer.bytes("segment_bytes", 64 * MIB, MIB, 2 * GIB),
            buffer.choice("when_full", WhenFull.class, WhenFull.REFUSE),
            buffer.choice("durability", Durability.class, Durability.PROCESS));
    if (config.whenFull == WhenFull.DROP_OLDEST && config.segmentBytes > config.maxBytes / 4) {
      buffer.problem(
          "segment_bytes",
          config.segmentBytes / MIB
              + "MiB is above a quarter of max_bytes "
              + config.maxBytes / MIB
              + "MiB, and drop_oldest gives up whole segments (expected at most "
              + config.maxBytes / 4 / MIB
              + "MiB)");
    }
    return config;
  }
}
