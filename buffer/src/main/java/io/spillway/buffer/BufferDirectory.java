package io.spillway.buffer;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The buffer directory as this process holds it: locked, and known to be there and to take writes.
 *
 * <p>A file system can die under its files: an I/O error makes it read-only, or it is unmounted and
 * mounted again, and then every open file, this lock among them, belongs to the dead one. So the
 * hold is checked: the lock file at the path is still the one that was locked, and takes a write.
 * While there is {@link #trouble} lanes take nothing; once they have let go of their files, so that
 * the file system can be unmounted, {@link #reclaim} tries to take the path again.
 *
 * <p>It is taken again only where it is provably the same buffer: the lock file bears the name of
 * this hold, so no other process was here meanwhile. If the lock file is gone but the file system
 * is the one it was on, somebody deleted the directory, and it is made anew. A path on another file
 * system is most likely an empty mount point; what was written there would vanish under the mount.
 *
 * <p>Safe on any thread. Whoever calls {@link #check} or {@link #reclaim} may wait for a slow disk;
 * {@link #trouble} never does. The lock file must not be opened a second time while it is locked:
 * POSIX gives up all locks of a process on a file when it closes any channel to it.
 */
final class BufferDirectory implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BufferDirectory.class);
  private static final String LOCK_FILE = "spillway.lock";

  private final Path directory;
  private final Path file;
  private final LockOwner self = LockOwner.self();
  private volatile @Nullable Trouble trouble;

  // Guarded by this.
  private @Nullable FileChannel channel;
  private Object key = "";
  private Object device = "";
  private boolean closed;

  /**
   * Why the directory cannot be written to now.
   *
   * @param gone whether what the path shows is no longer what was opened; else it can still be read
   */
  record Trouble(String reason, boolean gone) {}

  private BufferDirectory(Path directory) {
    this.directory = directory;
    this.file = lockFile(directory);
  }

  static Path lockFile(Path directory) {
    return directory.resolve(LOCK_FILE);
  }

  /**
   * Makes the directory if it is missing, and takes it.
   *
   * @throws BufferInUseException if another process has it
   * @throws IOException if it cannot be used; the message says why and what to do
   */
  static BufferDirectory open(Path directory) throws IOException {
    BufferDirectory taken = new BufferDirectory(directory);
    try {
      Files.createDirectories(directory);
      taken.take();
      return taken;
    } catch (BufferInUseException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(DiskErrors.atStart(directory, e), e);
    }
  }

  /** Null while the directory is held and takes writes. */
  @Nullable Trouble trouble() {
    return trouble;
  }

  /** Looks whether the path still shows the file that was locked, and writes to it. */
  @Nullable Trouble check() {
    return check(true, false);
  }

  /** As {@link #check}, without a write; cheap. */
  @Nullable Trouble look() {
    return check(false, false);
  }

  /**
   * Whether the disk takes a write all the way to the device; asked before data that cannot be read
   * is given up, since a dying disk makes good data look damaged.
   */
  boolean isSound() {
    return check(true, true) == null;
  }

  private synchronized @Nullable Trouble check(boolean write, boolean force) {
    FileChannel held = channel;
    if (held == null || closed) {
      return trouble;
    }
    Trouble found = probe(held, write, force);
    boolean canTell = write || found != null || trouble == null;
    return canTell ? say(found) : trouble;
  }

  /** Closes the lock file, so that nothing of this is open on a file system that is in trouble. */
  synchronized void letGo() {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      log.debug("buffer: closing {}", file, e);
    }
    channel = null;
  }

  /**
   * Takes the directory again where that is safe. Only while no file of the buffer is open.
   *
   * @return what still stands in the way; null if it is held
   */
  synchronized @Nullable Trouble reclaim() {
    if (closed) {
      return trouble;
    }
    letGo();
    try {
      return say(retake());
    } catch (IOException e) {
      letGo();
      return say(new Trouble(directory + ": " + DiskErrors.text(e), true));
    }
  }

  private @Nullable Trouble retake() throws IOException {
    if (!Files.exists(file)) {
      Path nearest = DiskErrors.nearest(directory);
      if (!Files.getAttribute(nearest, "unix:dev").equals(device)) {
        return new Trouble(
            nearest
                + " is on another file system than the buffer was (expected the same; is it"
                + " mounted?). Mount it, or restart Spillway to begin with an empty buffer",
            true);
      }
      Files.createDirectories(directory);
      log.error(
          "buffer::directory: {} was deleted under the running relay. It is made anew; what was"
              + " stored and not yet read is counted as dropped{reason=\"corrupt\"}.",
          directory);
    } else if (!key(file).equals(key) && !isOurHold()) {
      return new Trouble(
          file
              + " is of another relay, which used the directory meanwhile. Restart Spillway to go"
              + " on from what that one left",
          true);
    }
    take();
    return null;
  }

  private boolean isOurHold() throws IOException {
    try (FileChannel other = FileChannel.open(file, StandardOpenOption.READ)) {
      return LockOwner.read(other).hold().equals(self.hold());
    }
  }

  private synchronized void take() throws IOException {
    FileChannel opened =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      hold(opened);
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
    channel = opened;
  }

  private synchronized void hold(FileChannel opened) throws IOException {
    if (!lock(opened)) {
      throw new BufferInUseException(
          "buffer::directory: "
              + directory
              + " is in use by "
              + LockOwner.read(opened).describe(file)
              + ". Stop it, or choose another directory.");
    }
    writeOwner(opened);
    key = key(file);
    device = Files.getAttribute(file, "unix:dev");
  }

  private static boolean lock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false; // another buffer of this process
    }
  }

  /** Forced, so that the name of this hold outlives the file system's death. */
  private void writeOwner(FileChannel to) {
    try {
      int length = to.write(self.bytes(), 0);
      to.truncate(length);
      to.force(true);
    } catch (IOException e) { // on a full disk the lock works without it
      log.warn("buffer: cannot write the process id into {}: {}", file, DiskErrors.text(e));
    }
  }

  private @Nullable Trouble probe(FileChannel held, boolean write, boolean force) {
    try {
      if (!key(file).equals(key)) {
        return new Trouble(file + " is not the file any more that this relay locked", true);
      }
    } catch (NoSuchFileException e) {
      return new Trouble(file + " is gone", true);
    } catch (IOException e) {
      return new Trouble(DiskErrors.text(e), false);
    }
    try {
      if (write) {
        int written = held.write(self.bytes(), 0);
        log.trace("buffer: wrote {} bytes to {}", written, file);
      }
      if (force) {
        held.force(false);
      }
      return null;
    } catch (IOException e) {
      return new Trouble(file + " cannot be written: " + DiskErrors.text(e), false);
    }
  }

  private @Nullable Trouble say(@Nullable Trouble found) {
    Trouble before = trouble;
    trouble = found;
    if (found != null && !found.equals(before)) {
      log.error(
          "buffer::directory: {}: {}. Lanes refuse new data; Spillway goes on by itself once the"
              + " disk is back; see docs/operations/disk-trouble.md.",
          directory,
          found.reason);
    } else if (found == null && before != null) {
      log.info("buffer::directory: {} is in order again", directory);
    }
    return found;
  }

  private static Object key(Path path) throws IOException {
    Object key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    return key == null ? path : key;
  }

  /** Gives the directory up. Safe to call twice. */
  @Override
  public synchronized void close() {
    closed = true;
    letGo();
  }
}
