package io.spillway.receivers;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * The file of a Unix domain socket. The kernel leaves it behind when its process dies, and binds to
 * none that exists.
 */
final class SocketFile {
  private SocketFile() {}

  /**
   * Removes a socket that nobody listens on; does nothing if there is no file.
   *
   * @throws IOException if somebody does, or the file is no socket
   */
  static void removeStale(Path file) throws IOException {
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .isOther()) {
      throw new IOException("the file exists and is no socket");
    }
    if (isServed(file)) {
      throw new IOException("Address already in use");
    }
    Files.deleteIfExists(file);
  }

  private static boolean isServed(Path file) {
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return probe.connect(UnixDomainSocketAddress.of(file));
    } catch (IOException e) {
      return false; // refused: its process is gone
    }
  }
}
