package io.spillway.buffer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * Tells who holds a lock on a file without touching it: trying the lock would get in the way of a
 * relay that starts, and closing the file would give up this process's own lock on it (fcntl(2)).
 */
final class HeldLocks {
  private static final Path PROC_LOCKS = Path.of("/proc/locks");

  private HeldLocks() {}

  /** The process that holds a lock on the file; empty if none is seen. */
  static OptionalLong owner(Path file) throws IOException {
    if (!Files.exists(file) || !Files.isReadable(PROC_LOCKS)) {
      return OptionalLong.empty();
    }
    long inode = ((Number) Files.getAttribute(file, "unix:ino")).longValue();
    long device = ((Number) Files.getAttribute(file, "unix:dev")).longValue();
    return owner(Files.readString(PROC_LOCKS, StandardCharsets.US_ASCII), device, inode);
  }

  /**
   * Looks for {@code 1: POSIX ADVISORY WRITE 3525 fe:00:9986056 0 EOF} (proc_locks(5)).
   *
   * @param device as stat(2) has it
   */
  static OptionalLong owner(String locks, long device, long inode) {
    long major = (device >>> 8 & 0xfff) | (device >>> 32 & ~0xfffL);
    long minor = (device & 0xff) | (device >>> 12 & 0xffff_ff00L);
    String place = "%02x:%02x:%d".formatted(major, minor, inode);
    return locks
        .lines()
        .map(line -> line.trim().split("\\s+"))
        .filter(
            words ->
                words.length > 5
                    && words[1].equals("POSIX")
                    && words[3].equals("WRITE")
                    && words[5].equals(place))
        .mapToLong(words -> Long.parseLong(words[4]))
        .filter(pid -> pid > 0)
        .findFirst();
  }
}
