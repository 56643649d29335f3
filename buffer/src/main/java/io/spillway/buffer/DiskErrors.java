package io.spillway.buffer;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;

/** Words for what file systems throw: the JDK often says the path alone. */
final class DiskErrors {
  private DiskErrors() {}

  /** What went wrong, and with which file if that is known. */
  static String text(Throwable e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return switch (e) {
      case AccessDeniedException _ -> message + ": permission denied";
      case NoSuchFileException _ -> message + ": no such file or directory";
      case FileAlreadyExistsException _ -> message + ": is a file (expected a directory)";
      case NotDirectoryException _ -> message + ": is a file (expected a directory)";
      default -> message;
    };
  }

  /** Why a relay cannot start on this directory, and what to do. */
  static String atStart(Path directory, IOException e) {
    Path absolute = directory.toAbsolutePath();
    return "buffer::directory: "
        + absolute
        + " cannot be used: "
        + text(e)
        + " ("
        + owner(nearest(absolute))
        + "; Spillway runs as uid "
        + uid()
        + "). Make it a directory that this user may write to, on a file system that is not"
        + " read-only or full; see docs/operations/disk-trouble.md.";
  }

  /** The path itself, or the first of those above it that exists. */
  static Path nearest(Path path) {
    Path at = path.toAbsolutePath();
    while (at.getParent() != null && !Files.exists(at)) {
      at = at.getParent();
    }
    return at;
  }

  private static String owner(Path path) {
    try {
      PosixFileAttributes found = Files.readAttributes(path, PosixFileAttributes.class);
      return "%s is owned by %s:%s, mode %s"
          .formatted(
              path,
              found.owner().getName(),
              found.group().getName(),
              PosixFilePermissions.toString(found.permissions()));
    } catch (IOException | UnsupportedOperationException e) {
      return "the owner of " + path + " is unknown";
    }
  }

  private static String uid() {
    try {
      return String.valueOf(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return "of " + System.getProperty("user.name");
    }
  }
}
