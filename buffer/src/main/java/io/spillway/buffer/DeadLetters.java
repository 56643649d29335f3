package io.spillway.buffer;

import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The dead letters of one lane, seen from outside: beside a running relay or without one. A relay
 * notices within seconds when letters are removed. Safe on any thread.
 */
public final class DeadLetters {
  private final LaneId lane;
  private final Path directory;
  private final @Nullable BlockCipher cipher;

  DeadLetters(LaneId lane, Path laneDirectory, @Nullable BlockCipher cipher) {
    this.lane = lane;
    this.directory = laneDirectory.resolve(DeadLetterNames.DIRECTORY);
    this.cipher = cipher;
  }

  public LaneId lane() {
    return lane;
  }

  /** All letters, oldest first. */
  public List<LetterEntry> list() throws IOException {
    return DeadLetterNames.list(directory);
  }

  /** Whether there is a letter of this id. */
  public boolean has(String id) {
    return DeadLetterNames.isId(id) && Files.exists(file(id));
  }

  /**
   * Reads a letter.
   *
   * @throws NoSuchFileException if it is not there, or not any more
   */
  public LetterContent read(String id) throws IOException {
    return DeadLetterFile.decode(lane, Files.readAllBytes(file(id)), cipher);
  }

  /** Deletes a letter; false if it was gone already. */
  public boolean remove(String id) throws IOException {
    return Files.deleteIfExists(file(id));
  }

  private Path file(String id) {
    if (!DeadLetterNames.isId(id)) {
      throw new IllegalArgumentException("\"" + id + "\" is no id of a dead letter");
    }
    return directory.resolve(DeadLetterNames.fileName(id));
  }
}
