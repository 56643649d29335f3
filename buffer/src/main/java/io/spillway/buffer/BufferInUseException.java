package io.spillway.buffer;

import java.io.IOException;

/** Another process, or another buffer of this one, owns the directory. */
public final class BufferInUseException extends IOException {
  private static final long serialVersionUID = 1;

  BufferInUseException(String message) {
    super(message);
  }
}
