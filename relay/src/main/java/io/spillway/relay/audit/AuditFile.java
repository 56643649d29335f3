package io.spillway.relay.audit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * Lines in a file that is rotated by size: {@code egress.jsonl} is written, {@code egress.jsonl.1}
 * is the one before it. Open only while it is written to, so that it keeps no file system mounted,
 * and so that other processes, or a person, may rotate it too. Belongs to one thread.
 */
final class AuditFile {
  private final Path file;
  private final long maxBytes;
  private final int maxFiles;

  AuditFile(AuditConfig config) {
    this.file = config.file().toAbsolutePath();
    this.maxBytes = config.maxBytes();
    this.maxFiles = config.maxFiles();
  }

  Path path() {
    return file;
  }

  /**
   * Appends lines, in as few writes as rotation allows. A line is never divided between files.
   *
   * @throws IOException if not all of them were written; the end of the file may be half a line
   */
  void append(List<String> lines) throws IOException {
    Files.createDirectories(file.resolveSibling(""));
    ByteArrayOutputStream pending = new ByteArrayOutputStream();
    long size = begin(pending);
    for (String line : lines) {
      byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
      if (size > 0 && size + bytes.length > maxBytes) {
        write(pending);
        rotate();
        size = 0;
      }
      pending.writeBytes(bytes);
      size += bytes.length;
    }
    write(pending);
  }

  /** Half a line that a failed write left is ended. Returns the size, with what is pending. */
  private long begin(ByteArrayOutputStream pending) throws IOException {
    if (!Files.isRegularFile(file)) {
      return 0;
    }
    try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer last = ByteBuffer.allocate(1);
      if (in.size() > 0 && in.read(last, in.size() - 1) == 1 && last.get(0) != '\n') {
        pending.write('\n');
      }
      return in.size() + pending.size();
    }
  }

  private void write(ByteArrayOutputStream pending) throws IOException {
    if (pending.size() == 0) {
      return;
    }
    try (FileChannel out =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
      ByteBuffer bytes = ByteBuffer.wrap(pending.toByteArray());
      pending.reset();
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
    }
  }

  private void rotate() throws IOException {
    int beyond = maxFiles;
    while (Files.deleteIfExists(rotated(beyond))) {
      beyond++;
    }
    for (int i = maxFiles - 1; i > 0; i--) {
      if (Files.exists(rotated(i - 1))) {
        Files.move(rotated(i - 1), rotated(i), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    Files.deleteIfExists(file);
  }

  private Path rotated(int age) {
    return age == 0 ? file : file.resolveSibling(file.getFileName() + "." + age);
  }
}
