package io.spillway.buffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;

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
    OptionalLong here = holder(file);
    if (here.isPresent()) {
      return "process " + here.getAsLong();
    }
    String name = "process " + (pid.isEmpty() ? "of unknown id" : pid);
    return namespace.isEmpty() || namespace.equals(ownNamespace())
        ? name
        : name
            + " of another PID namespace, "
            + namespace
            + ", probably a container (lsns -t pid shows it)";
  }

  /** Empty where the kernel does not tell: then the lock file says what there is. */
  private static OptionalLong holder(Path file) {
    try {
      return HeldLocks.owner(file);
    } catch (IOException | RuntimeException e) {
      return OptionalLong.empty();
    }
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
