package io.spillway.exporters;

import io.spillway.otlp.Slice;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Reads the requests in a file that a {@code file} exporter wrote, in order; see {@link
 * RequestFile} for the format. Holds one request at a time. Belongs to one thread.
 */
public final class RequestFileReader implements AutoCloseable {
  /** What such a file's name ends with. */
  public static final String SUFFIX = ".otlp";

  /** A larger length is damage: no exporter and no lane takes such a request. */
  private static final int MAX_REQUEST_BYTES = 64 << 20;

  private final Path file;
  private final InputStream in;
  private long position;
  private long cutOff;

  private RequestFileReader(Path file, InputStream in) {
    this.file = file;
    this.in = in;
  }

  public static RequestFileReader open(Path file) throws IOException {
    return new RequestFileReader(file, new BufferedInputStream(Files.newInputStream(file)));
  }

  /**
   * The next request; null at the end. The last record may be cut short, and is then left out: see
   * {@link #cutOff}.
   *
   * @throws IOException also if the file is not of this format
   */
  public @Nullable Slice next() throws IOException {
    long start = position;
    int length = length();
    if (length < 0) {
      cutOff = position - start;
      return null;
    }
    byte[] request = in.readNBytes(length);
    position += request.length;
    if (request.length < length) {
      cutOff = position - start;
      return null;
    }
    return Slice.of(request);
  }

  /** Bytes of a last record that was being written when its writer stopped. */
  public long cutOff() {
    return cutOff;
  }

  /** The varint in front of a record; -1 at the end of the file, also within it. */
  private int length() throws IOException {
    long length = 0;
    for (int shift = 0; ; shift += 7) {
      int b = in.read();
      if (b < 0) {
        return -1;
      }
      position++;
      length |= (long) (b & 0x7f) << shift;
      if (length > MAX_REQUEST_BYTES) {
        throw new IOException(
            "%s: a record of %d bytes or more before byte %d (expected at most %d; is it a file of OTLP requests?)"
                .formatted(file, length, position, MAX_REQUEST_BYTES));
      }
      if (b < 0x80) {
        return (int) length;
      }
      if (shift > 28) {
        throw new IOException(
            "%s: no length at byte %d (expected a varint of 32 bits)".formatted(file, position));
      }
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
