package io.spillway.buffer;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Ways to find one's place in a segment, and to damage it there. */
final class SegmentDamage {
  private SegmentDamage() {}

  /** Cuts a file off; one that is shorter stays as it is. */
  static void truncate(Path file, long length) throws IOException {
    try (RandomAccessFile f = new RandomAccessFile(file.toFile(), "rw")) {
      f.setLength(Math.min(f.length(), length));
    }
  }

  /** Overwrites four bytes, little-endian. */
  static void write(Path file, long at, int value) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      ByteBuffer word = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(0, value);
      channel.write(word, at);
    }
  }

  /** Where the n-th block header starts. */
  static long record(Path file, int n) throws IOException {
    byte[] content = Files.readAllBytes(file);
    ByteBuffer in = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    int seen = 0;
    for (int at = 0; at + 4 < content.length; at += 4) {
      if (in.getInt(at) == BlockHeader.MAGIC && seen++ == n) {
        return at;
      }
    }
    throw new AssertionError("no record " + n + " in " + file);
  }

  /** Where the zeros at the end of a file start. */
  static long lastByte(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    int at = content.length;
    while (at > 0 && content[at - 1] == 0) {
      at--;
    }
    return at;
  }
}
