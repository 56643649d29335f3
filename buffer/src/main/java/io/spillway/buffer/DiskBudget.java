package io.spillway.buffer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The disk that all lanes share: at most {@code max_bytes} reserved, and {@code min_free} left to
 * everybody else. Counts reserved blocks, never file lengths, which are sparse. Safe on any thread.
 *
 * <p>A lane may use what is free, but it cannot push another one out: half of the disk is set aside
 * in equal guarantees, of at most {@link #GUARANTEED_SEGMENTS} segments each, and a lane above its
 * own leaves alone what the others have not used of theirs. So a healthy lane beside the lane of a
 * dead sink always has the room that its next segments need.
 */
final class DiskBudget {
  /** A lane whose sink keeps up writes one segment while the one before it drains. */
  static final int GUARANTEED_SEGMENTS = 2;

  private final Path directory;
  private final long maxBytes;
  private final long minFree;
  private final long mostGuaranteed;
  private final DiskSpace space;
  private final List<Share> shares = new ArrayList<>();
  private long reserved;

  /** How often a lane was refused for want of room that others have. */
  private long refusals;

  /**
   * @param segmentBytes what a lane reserves for one segment at most
   */
  DiskBudget(Path directory, long maxBytes, long minFree, long segmentBytes, DiskSpace space) {
    this.directory = directory;
    this.maxBytes = maxBytes;
    this.minFree = minFree;
    this.mostGuaranteed = GUARANTEED_SEGMENTS * segmentBytes;
    this.space = space;
  }

  /**
   * Makes room for another lane, which has a guarantee from now on.
   *
   * @param maxLaneBytes what the lane may reserve by itself
   */
  synchronized Share share(long maxLaneBytes) {
    Share share = new Share(maxLaneBytes);
    shares.add(share);
    return share;
  }

  DiskSpace space() {
    return space;
  }

  synchronized long reservedBytes() {
    return reserved;
  }

  /** Counts blocks of no lane in particular that were found on disk. */
  synchronized void found(long bytes) {
    reserved += bytes;
  }

  /** Gives back what {@link #found} took. */
  synchronized void release(long bytes) {
    reserved -= bytes;
  }

  DiskStatus status() {
    long free;
    try {
      free = space.usableBytes();
    } catch (IOException e) {
      free = -1;
    }
    return new DiskStatus(free, reservedBytes(), maxBytes, minFree);
  }

  /** What one lane has of the budget. */
  final class Share {
    private long mine;
    private long most;
    private long seenRefusals;

    private Share(long most) {
      this.most = most;
    }

    /** What the lane may reserve by itself from now on. */
    void limit(long maxLaneBytes) {
      synchronized (DiskBudget.this) {
        most = maxLaneBytes;
      }
    }

    long reservedBytes() {
      synchronized (DiskBudget.this) {
        return mine;
      }
    }

    /** Counts blocks that were found on disk. */
    void found(long bytes) {
      synchronized (DiskBudget.this) {
        mine += bytes;
        reserved += bytes;
      }
    }

    /** Gives back what {@link #reserve} or {@link #found} took. */
    void release(long bytes) {
      found(-bytes);
    }

    /** Whether a lane was refused room that others have since the last time this one asked. */
    boolean isPressed() {
      synchronized (DiskBudget.this) {
        boolean pressed = refusals != seenRefusals;
        seenRefusals = refusals;
        return pressed;
      }
    }

    /** Why {@code bytes} more would not be reserved right now; null if they probably would be. */
    @Nullable String refusal(long bytes) {
      synchronized (DiskBudget.this) {
        return refusalLocked(bytes);
      }
    }

    /**
     * Reserves {@code [from, to)} of a file.
     *
     * @throws DiskFullException if a limit or the file system stands in the way
     */
    void reserve(Path file, long from, long to) throws DiskFullException {
      long bytes = to - from;
      synchronized (DiskBudget.this) {
        String refusal = refusalLocked(bytes);
        if (refusal != null) {
          throw new DiskFullException(refusal);
        }
        found(bytes);
      }
      try {
        space.fillWithZeros(file, from, to);
      } catch (IOException e) {
        release(bytes);
        throw new DiskFullException(
            "cannot reserve " + size(bytes) + " in " + directory + ": " + e.getMessage(), e);
      }
    }

    private @Nullable String refusalLocked(long bytes) {
      if (mine + bytes > most && most < maxBytes) {
        return size(mine) + " reserved for this lane, its max_bytes " + size(most);
      }
      String shared = sharedLimit(bytes);
      refusals += shared == null ? 0 : 1;
      return shared;
    }

    private @Nullable String sharedLimit(long bytes) {
      if (reserved + bytes > maxBytes) {
        return size(reserved) + " reserved in " + directory + ", max_bytes " + size(maxBytes);
      }
      long free;
      try {
        free = space.usableBytes();
      } catch (IOException e) {
        return "free space of " + directory + " is unknown: " + e.getMessage();
      }
      if (free - bytes < minFree) {
        return size(free) + " free on " + directory + ", below min_free " + size(minFree);
      }
      return shortage(bytes, Math.min(maxBytes - reserved, free - minFree));
    }

    /**
     * @param left what all lanes together may still reserve
     */
    private @Nullable String shortage(long bytes, long left) {
      long guarantee = Math.min(mostGuaranteed, (reserved + left) / (2L * shares.size()));
      if (mine + bytes <= guarantee) {
        return null;
      }
      long setAside = 0;
      for (Share other : shares) {
        setAside += other == this ? 0 : Math.max(0, guarantee - other.mine);
      }
      return bytes <= left - setAside
          ? null
          : size(left) + " left in " + directory + ", set aside for lanes that use less";
    }
  }

  /** {@code 310 MiB}: the largest unit that leaves at least 1, rounded down. */
  static String size(long bytes) {
    if (bytes < 1 << 10) {
      return bytes + " B";
    }
    if (bytes < 1 << 20) {
      return (bytes >> 10) + " KiB";
    }
    return bytes < 10L << 30 ? (bytes >> 20) + " MiB" : (bytes >> 30) + " GiB";
  }
}
