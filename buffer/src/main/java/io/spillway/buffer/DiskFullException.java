package io.spillway.buffer;

import java.io.IOException;

/** There is no room for an append; nothing was changed. The message is for the sender. */
final class DiskFullException extends IOException {
  private static final long serialVersionUID = 1;

  DiskFullException(String message) {
    super(message);
  }

  DiskFullException(String message, Throwable cause) {
    super(message, cause);
  }
}
