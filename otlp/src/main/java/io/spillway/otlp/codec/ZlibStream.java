package io.spillway.otlp.codec;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Reads one zlib stream (RFC 1950). For one use, on one thread. */
final class ZlibStream {
  private static final String NAME = "zlib";

  private static final NativePool<Inflater> INFLATERS =
      new NativePool<>(Inflater::new, Inflater::end);

  private final Slice bytes;
  private final BoundedOutput out;

  ZlibStream(Slice bytes, int maxBytes) {
    this.bytes = bytes;
    this.out = new BoundedOutput(NAME, bytes.length(), maxBytes);
  }

  Slice decompress() throws MalformedRequestException, PayloadTooLargeException {
    Inflater inflater = INFLATERS.take();
    try {
      inflater.setInput(bytes.array(), bytes.offset(), bytes.length());
      inflate(inflater);
      if (inflater.getRemaining() > 0) {
        throw Decompression.malformed(NAME, "junk after the end");
      }
    } catch (DataFormatException e) {
      throw Decompression.malformed(NAME, "damaged: " + e.getMessage());
    } finally {
      // Also lets go of the input array.
      inflater.reset();
      INFLATERS.give(inflater);
    }
    return out.finish();
  }

  private void inflate(Inflater inflater)
      throws DataFormatException, MalformedRequestException, PayloadTooLargeException {
    byte[] probe = new byte[1];
    while (!inflater.finished()) {
      int n;
      if (out.isFull()) {
        // Only the end of the stream may follow.
        n = inflater.inflate(probe);
        out.require(n);
      } else {
        int room = out.room();
        n = inflater.inflate(out.array(), out.length(), room);
        out.advance(n);
      }
      if (n == 0 && !inflater.finished()) {
        throw Decompression.malformed(
            NAME, inflater.needsDictionary() ? "needs a dictionary (expected none)" : "truncated");
      }
    }
  }
}
