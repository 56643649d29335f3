package io.spillway.buffer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Copies a segment up to the last byte that is not zero; the file keeps its length. */
final class SparseCopy {
  private static final int CHUNK = 256 * 1024;

  private SparseCopy() {}

  static void copy(Path from, Path to) throws IOException {
    try (FileChannel in = FileChannel.open(from, StandardOpenOption.READ);
        FileChannel out =
            FileChannel.open(
                to,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
      ByteBuffer zeros = ByteBuffer.allocate(CHUNK);
      ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
      long size = in.size();
      for (long at = 0; at < size; at += CHUNK) {
        chunk.clear();
        in.read(chunk, at);
        chunk.flip();
        if (!chunk.equals(zeros.duplicate().limit(chunk.limit()))) {
          out.write(chunk, at);
        }
      }
      if (out.size() < size) {
        out.write(ByteBuffer.wrap(new byte[1]), size - 1);
      }
    }
  }
}
