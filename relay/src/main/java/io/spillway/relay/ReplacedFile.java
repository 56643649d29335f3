package io.spillway.relay;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A small text file that is replaced as a whole: whatever happens, it holds what was written last
 * or what was there before.
 */
record ReplacedFile(Path path) {

  boolean exists() {
    return Files.exists(path);
  }

  byte[] read() throws IOException {
    return Files.readAllBytes(path);
  }

  /** Returns once the text is on the disk, under its name. */
  void write(String text) throws IOException {
    Path next = path.resolveSibling(path.getFileName() + ".next");
    Files.write(next, text.getBytes(StandardCharsets.UTF_8));
    force(next, StandardOpenOption.WRITE);
    Files.move(next, path, StandardCopyOption.ATOMIC_MOVE);
    Path folder = path.toAbsolutePath().getParent();
    if (folder != null) {
      force(folder, StandardOpenOption.READ);
    }
  }

  private static void force(Path file, StandardOpenOption mode) throws IOException {
    try (FileChannel channel = FileChannel.open(file, mode)) {
      channel.force(true);
    }
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
