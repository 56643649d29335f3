package io.spillway.buffer;

import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A buffer directory that is only looked at: nothing is locked, written or opened with Chronicle,
 * so it may belong to a running relay, be a copy, or be read-only. Safe on any thread.
 */
public final class BufferReader {
  private final Path directory;
  private final LanePaths paths;
  private final @Nullable BlockCipher cipher;

  private BufferReader(Path directory, @Nullable BlockCipher cipher) {
    this.directory = directory;
    this.paths = new LanePaths(directory);
    this.cipher = cipher;
  }

  /**
   * A reader without keys: encrypted payloads stay {@link Content.Locked}.
   *
   * @throws NoSuchFileException if there is no such directory
   * @throws NotDirectoryException if it is something else
   */
  public static BufferReader open(Path directory) throws IOException {
    return open(directory, null);
  }

  /**
   * As above.
   *
   * @param keyFile the keys of encrypted payloads; null for none
   * @throws IOException also if the key file cannot be used
   */
  public static BufferReader open(Path directory, @Nullable Path keyFile) throws IOException {
    if (!Files.exists(directory)) {
      throw new NoSuchFileException(directory.toString());
    }
    if (!Files.isDirectory(directory)) {
      throw new NotDirectoryException(directory.toString());
    }
    return new BufferReader(
        directory,
        keyFile == null
            ? null
            : new BlockCipher(KeyRing.open(keyFile, System::nanoTime), new SecureRandom()));
  }

  public Path directory() {
    return directory;
  }

  /** All lanes on disk by route and signal, also those whose route is gone. */
  public List<LaneId> lanes() throws IOException {
    return paths.onDisk();
  }

  /** The lane of this id, which must be on disk. */
  public LaneReader lane(LaneId id) {
    return new LaneReader(id, paths.of(id), PayloadOpener.of(id, cipher));
  }

  /** The dead letters of a lane. */
  public DeadLetters deadLetters(LaneId id) {
    return new DeadLetters(id, paths.of(id), cipher);
  }

  /**
   * The process that has the directory locked, as far as this one may see it: on Linux, and in the
   * same PID namespace.
   */
  public OptionalLong owner() throws IOException {
    return HeldLocks.owner(BufferDirectory.lockFile(directory));
  }
}
