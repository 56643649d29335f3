package io.spillway.otlp.codec;

import java.io.Serial;

/**
 * Says that the {@link Decompression.Room} for a result was refused. Nothing is wrong with the
 * request. Carries no stack trace.
 */
public final class NoRoomException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  NoRoomException(long bytes) {
    super("no room for " + bytes + " bytes", null, false, false);
  }
}
