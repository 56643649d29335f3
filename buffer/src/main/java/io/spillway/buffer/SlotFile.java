package io.spillway.buffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A small file with two slots that are written in turn, so that a torn write costs the last write
 * and never the one before. A write is in the page cache when it returns: it survives the death of
 * the process; {@link #force} makes it survive the machine's.
 *
 * <pre>
 *   0                 4                 8                16         20
 *   +-----------------+-----------------+-----------------+----------+---------+
 *   |  magic "SPWS"   |  CRC32C [8,end) |   generation    |  length  | content |
 *   +-----------------+-----------------+-----------------+----------+---------+
 * </pre>
 *
 * <p>Both slots are written with zeros when the file is made, so no later write needs a new disk
 * block. Not safe for use by several threads.
 */
final class SlotFile implements AutoCloseable {
  private static final int MAGIC = 0x53575053;
  private static final int HEADER = 20;
  private static final int READ_ATTEMPTS = 5;

  private final Path path;
  private final FileChannel channel;
  private final @Nullable Object key;
  private final int slotBytes;
  private final ByteBuffer buffer;
  private final byte @Nullable [] found;
  private long generation;
  private boolean dirty;

  private SlotFile(Path path, FileChannel channel, int slotBytes, boolean readOnly)
      throws IOException {
    this.path = path;
    this.channel = channel;
    this.key = key(path);
    this.slotBytes = slotBytes;
    this.buffer = ByteBuffer.allocate(slotBytes).order(ByteOrder.LITTLE_ENDIAN);
    if (!readOnly) {
      fillWithZeros();
    }
    byte[] a = read(0);
    long generationOfA = generation;
    byte[] b = read(1);
    found = b == null || generationOfA > generation ? a : b;
    generation = Math.max(generation, generationOfA);
  }

  /**
   * Opens or creates the file.
   *
   * @throws IOException also if the disk is full and the file is not yet there
   */
  static SlotFile open(Path file, int slotBytes) throws IOException {
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      return new SlotFile(file, channel, slotBytes, false);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Opens a file for {@link #found} alone, also one that another process is writing: a slot that is
   * being written looks torn, and then the other one counts.
   *
   * @return null if there is no such file
   */
  static @Nullable SlotFile openReadOnly(Path file, int slotBytes) throws IOException {
    FileChannel channel;
    try {
      channel = FileChannel.open(file, StandardOpenOption.READ);
    } catch (NoSuchFileException e) {
      return null;
    }
    try {
      SlotFile opened = new SlotFile(file, channel, slotBytes, true);
      // Both torn: the writer went from one slot to the other between the two reads.
      for (int i = 1; opened.found == null && i < READ_ATTEMPTS; i++) {
        opened = new SlotFile(file, channel, slotBytes, true);
      }
      return opened;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** Whether the path still shows the file that this one writes to. */
  boolean isInPlace() throws IOException {
    try {
      return Objects.equals(key, key(path));
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static @Nullable Object key(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
  }

  int capacity() {
    return slotBytes - HEADER;
  }

  /** The content of the newest good slot when the file was opened; null if there was none. */
  @Nullable ByteBuffer found() {
    return found == null ? null : ByteBuffer.wrap(found).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Writes what {@code content} holds up to its position into the older slot. */
  void write(ByteBuffer content) throws IOException {
    int length = content.position();
    long next = generation + 1;
    buffer.clear().putInt(MAGIC).putInt(0).putLong(next).putInt(length);
    buffer.put(content.flip());
    buffer.putInt(4, crc(buffer.array(), HEADER + length)).flip();
    long at = (next & 1) * slotBytes;
    while (buffer.hasRemaining()) {
      at += channel.write(buffer, at);
    }
    generation = next; // after a failed write the same slot is tried again: the other one is good
    dirty = true;
  }

  /** Writes everything through to the device, if anything was written since the last time. */
  void force() throws IOException {
    if (dirty) {
      dirty = false;
      channel.force(false);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private void fillWithZeros() throws IOException {
    long size = channel.size();
    if (size < 2L * slotBytes) {
      ByteBuffer zeros = ByteBuffer.allocate((int) (2L * slotBytes - size));
      while (zeros.hasRemaining()) {
        size += channel.write(zeros, size);
      }
    }
  }

  private byte @Nullable [] read(int slot) throws IOException {
    buffer.clear();
    long at = (long) slot * slotBytes;
    while (buffer.hasRemaining()) {
      int n = channel.read(buffer, at + buffer.position());
      if (n < 0) {
        return null;
      }
    }
    int length = buffer.getInt(16);
    if (buffer.getInt(0) != MAGIC
        || length < 0
        || length > capacity()
        || buffer.getInt(4) != crc(buffer.array(), HEADER + length)) {
      return null;
    }
    generation = buffer.getLong(8);
    byte[] content = new byte[length];
    buffer.get(HEADER, content);
    return content;
  }

  private static int crc(byte[] slot, int end) {
    CRC32C crc = new CRC32C();
    crc.update(slot, 8, end - 8);
    return (int) crc.getValue();
  }
}
