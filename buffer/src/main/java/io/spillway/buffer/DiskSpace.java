package io.spillway.buffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The file system below the buffer, as far as space on it goes. Safe on any thread. */
interface DiskSpace {

  /** Bytes that this process may still write. */
  long usableBytes() throws IOException;

  /**
   * Makes the file system set aside blocks for {@code [from, to)} of a file by writing zeros.
   * Writing reports a full disk as an exception, where touching a mapping would be a fault; and it
   * leaves written extents, where {@code fallocate} leaves extents whose conversion can still fail.
   *
   * @param from at or beyond everything that was written to the file
   * @throws IOException if there is no room; part of the range may have been written
   */
  void fillWithZeros(Path file, long from, long to) throws IOException;

  /** Writes a file's content through to the device. */
  default void force(FileChannel channel, Path file) throws IOException {
    channel.force(false);
  }

  /** The file system that holds {@code directory}. */
  static DiskSpace of(Path directory) throws IOException {
    return new FileSystemSpace(Files.getFileStore(directory));
  }

  /** Real disk space. */
  record FileSystemSpace(FileStore store) implements DiskSpace {
    private static final int CHUNK_BYTES = 256 * 1024;
    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(CHUNK_BYTES);

    @Override
    public long usableBytes() throws IOException {
      return store.getUsableSpace();
    }

    @Override
    public void fillWithZeros(Path file, long from, long to) throws IOException {
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        ByteBuffer zeros = ZEROS.duplicate();
        while (from < to) {
          zeros.clear().limit((int) Math.min(CHUNK_BYTES, to - from));
          from += channel.write(zeros, from);
        }
      }
    }
  }
}
