package io.spillway.buffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Who holds the lock of a buffer directory, as the lock file says in three lines.
 *
 * <pre>
 *   4711                    process id, as the owner sees itself
 *   pid:[4026531836]        its PID namespace
 *   f81d4fae-7dec-…         a name for this hold, new each time a process opens the directory
 * </pre>
 *
 * @param namespace empty if unknown
 * @param hold empty if unknown
 */
record LockOwner(String pid, String namespace, String hold) {
  private static final int MAX_BYTES = 256;
  private static final Path LOCKS = Path.of("/proc/locks");

  /** This process, with a new name for its hold. */
  static LockOwner self() {
    return new LockOwner(
        Long.toString(ProcessHandle.current().pid()), ownNamespace(), UUID.randomUUID().toString());
  }

  /** Reads a locked file through the channel that tried to lock it. */
  static LockOwner read(FileChannel channel) throws IOException {
    ByteBuffer text = ByteBuffer.allocate(MAX_BYTES);
    channel.read(text, 0);
    List<String> lines =
        new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII).lines().toList();
    return new LockOwner(line(lines, 0), line(lines, 1), line(lines, 2));
  }

  ByteBuffer bytes() {
    String text = pid + "\n" + namespace + "\n" + hold + "\n";
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }

  /**
   * The owner in words, by the id that it has here: the kernel's if it tells, since in a container
   * a process knows itself by another one.
   */
  String describe(Path file) {
    String here = holder(file);
    if (here != null) {
      return "process " + here;
    }
    String name = "process " + (pid.isEmpty() ? "of unknown id" : pid);
    return namespace.isEmpty() || namespace.equals(ownNamespace())
        ? name
        : name
            + " of another PID namespace, "
            + namespace
            + ", probably a container (lsns -t pid shows it)";
  }

  /**
   * The process that holds a lock on the file, as {@code /proc/locks} shows it: {@code 1: POSIX
   * ADVISORY WRITE 4711 fe:01:131 0 EOF}. A process outside our namespace is not shown, or as 0.
   */
  private static @Nullable String holder(Path file) {
    try {
      String inode = ":" + Files.getAttribute(file, "unix:ino");
      for (String line : Files.readAllLines(LOCKS)) {
        String[] words = line.trim().split("\\s+", -1);
        if (words.length >= 8
            && words[1].equals("POSIX")
            && words[5].endsWith(inode)
            && isSameDevice(words[5], file)
            && Long.parseLong(words[4]) > 0) {
          return words[4];
        }
      }
    } catch (IOException | RuntimeException e) {
      return null; // no such file, or not as we know it: then the lock file says what there is
    }
    return null;
  }

  private static boolean isSameDevice(String locked, Path file) throws IOException {
    long device = (long) Files.getAttribute(file, "unix:dev");
    long major = ((device >>> 8) & 0xfff) | ((device >>> 32) & ~0xfffL);
    long minor = (device & 0xff) | ((device >>> 12) & ~0xffL);
    return locked.startsWith("%02x:%02x:".formatted(major, minor & 0xffffffffL));
  }

  private static String ownNamespace() {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
    } catch (IOException | UnsupportedOperationException e) {
      return "";
    }
  }

  private static String line(List<String> lines, int i) {
    return i < lines.size() ? lines.get(i).trim() : "";
  }
}
