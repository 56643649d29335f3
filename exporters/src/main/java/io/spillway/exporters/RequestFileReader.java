package io.spillway.exporters;

import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Reads the requests in a file that a {@code file} exporter wrote, in order; see {@link
 * RequestFile} for the format, which the file's name tells. Holds one request at a time. Belongs to
 * one thread.
 */
public final class RequestFileReader implements AutoCloseable {

  /** A larger length is damage: no exporter and no lane takes such a request. */
  private static final int MAX_REQUEST_BYTES = 64 << 20;

  /** JSON of a request is about three times as long; this leaves room. */
  private static final int MAX_LINE_BYTES = 6 * MAX_REQUEST_BYTES;

  private static final int BUFFER_BYTES = 64 << 10;

  private final Path file;
  private final RequestFormat format;
  private final InputStream in;
  private long position;
  private long cutOff;
  private boolean cutShort;

  private RequestFileReader(Path file, RequestFormat format, InputStream in) {
    this.file = file;
    this.format = format;
    this.in = in;
  }

  public static RequestFileReader open(Path file) throws IOException {
    String name = String.valueOf(file.getFileName());
    InputStream raw = Files.newInputStream(file);
    try {
      InputStream plain = Decompression.stream(RequestFormat.compression(name), raw);
      return new RequestFileReader(
          file, RequestFormat.of(name), new BufferedInputStream(plain, BUFFER_BYTES));
    } catch (IOException | RuntimeException e) {
      raw.close();
      throw e;
    }
  }

  /** What the requests are written in. */
  public RequestFormat format() {
    return format;
  }

  /**
   * The next request, in the file's format; null at the end. The last record may be cut short, and
   * is then left out: see {@link #isCutShort}.
   *
   * @throws IOException also if the file is not of this format, or damaged before its end
   */
  public @Nullable Slice next() throws IOException {
    if (cutShort) {
      return null;
    }
    long start = position;
    try {
      return switch (format) {
        case PROTO -> record(start);
        case JSON -> line();
      };
    } catch (EOFException e) { // within a member or frame
      cutShort = true;
      cutOff = position - start;
      return null;
    } catch (IOException e) {
      throw new IOException("%s: near byte %d: %s".formatted(file, position, e.getMessage()), e);
    }
  }

  private @Nullable Slice record(long start) throws IOException {
    int length = length();
    if (length < 0) {
      cutOff = position - start;
      cutShort = cutOff > 0;
      return null;
    }
    byte[] request = new byte[length];
    for (int filled = 0; filled < length; ) {
      int n = in.read(request, filled, length - filled);
      if (n < 0) {
        cutOff = position - start;
        cutShort = true;
        return null;
      }
      filled += n;
      position += n;
    }
    return Slice.of(request);
  }

  /** Empty lines say nothing. A last line may lack its end: other tools leave it out. */
  private @Nullable Slice line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    while (true) {
      int b = in.read();
      if (b >= 0) {
        position++;
      }
      if (b == '\n' || b < 0) {
        if (line.size() > 0) {
          return Slice.of(line.toByteArray());
        }
        if (b < 0) {
          return null;
        }
      } else if (line.size() == MAX_LINE_BYTES) {
        throw new IOException("a line of more than %d bytes".formatted(MAX_LINE_BYTES));
      } else if (b != '\r') {
        line.write(b);
      }
    }
  }

  /** Whether the file ends within a record: its writer stopped while it wrote. */
  public boolean isCutShort() {
    return cutShort;
  }

  /** Bytes of that record that could be read, uncompressed. */
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
            "a record of %d bytes or more (expected at most %d; is it a file of OTLP requests?)"
                .formatted(length, MAX_REQUEST_BYTES));
      }
      if (b < 0x80) {
        return (int) length;
      }
      if (shift > 28) {
        throw new IOException("no length (expected a varint of 32 bits)");
      }
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
