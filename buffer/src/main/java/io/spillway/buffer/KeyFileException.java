package io.spillway.buffer;

import java.io.IOException;

/** A key file cannot be used. The message names the file, the line and the remedy, never a key. */
final class KeyFileException extends IOException {
  private static final long serialVersionUID = 1;

  KeyFileException(String message) {
    super(message);
  }
}
