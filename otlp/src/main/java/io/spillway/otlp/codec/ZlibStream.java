package io.spillway.otlp.codec;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression.Room;
import java.util.zip.Inflater;

/** Reads one zlib stream (RFC 1950). For one use, on one thread. */
final class ZlibStream {
  private static final String NAME = "zlib";

  private static final NativePool<Inflater> INFLATERS =
      new NativePool<>(Inflater::new, Inflater::end);

  private final Slice bytes;
  private final BoundedOutput out;

  ZlibStream(Slice bytes, int maxBytes, Room room) {
    this.bytes = bytes;
    this.out = BoundedOutput.of(NAME, bytes, maxBytes, room);
  }

  Slice decompress() throws MalformedRequestException, PayloadTooLargeException {
    Inflater inflater = INFLATERS.take();
    try {
      inflater.setInput(bytes.array(), bytes.offset(), bytes.length());
      out.inflate(inflater);
      if (inflater.getRemaining() > 0) {
        throw Decompression.malformed(NAME, "junk after the end");
      }
    } finally {
      // Also lets go of the input array.
      inflater.reset();
      INFLATERS.give(inflater);
    }
    return out.finish();
  }
}
