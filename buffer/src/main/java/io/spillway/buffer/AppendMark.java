package io.spillway.buffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The writer's own note of how far it got, made after every append and before the senders are told.
 * It proves how much was acknowledged even if the newest segment is cut short or gone. Belongs to
 * the writer thread once the lane is open.
 */
final class AppendMark implements AutoCloseable {
  private static final int SLOT_BYTES = 128;

  private final SlotFile file;
  private final ByteBuffer scratch = ByteBuffer.allocate(SLOT_BYTES).order(ByteOrder.LITTLE_ENDIAN);

  private AppendMark(SlotFile file) {
    this.file = file;
  }

  /**
   * @param cycle the segment of the last record
   * @param position where the record ends in it
   */
  record Mark(int cycle, long position, Totals end) {}

  static AppendMark open(Path path) throws IOException {
    return new AppendMark(SlotFile.open(path, SLOT_BYTES));
  }

  /** The newest mark in a file that another process may be writing; null if there is none. */
  static @Nullable Mark read(Path path) throws IOException {
    try (SlotFile file = SlotFile.openReadOnly(path, SLOT_BYTES)) {
      return file == null ? null : found(file);
    }
  }

  /** The mark of an earlier process; null if there is none. */
  @Nullable Mark found() {
    return found(file);
  }

  private static @Nullable Mark found(SlotFile file) {
    ByteBuffer in = file.found();
    return in == null ? null : new Mark(in.getInt(), in.getLong(), Totals.read(in));
  }

  /** See {@link SlotFile#isInPlace}. */
  boolean isInPlace() throws IOException {
    return file.isInPlace();
  }

  void write(Mark mark) throws IOException {
    scratch.clear().putInt(mark.cycle).putLong(mark.position);
    mark.end.write(scratch);
    file.write(scratch);
  }

  @Override
  public void close() throws IOException {
    try (file) {
      file.force();
    }
  }
}
