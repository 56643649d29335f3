package io.spillway.exporters;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file of export requests of one signal. In protobuf it is as {@code writeDelimitedTo} writes and
 * {@code parseDelimitedFrom} reads it:
 *
 * <pre>
 *   ┌───────────────────┬──────────────────────────────┐
 *   │ length: varint,   │ Export…ServiceRequest,       │  … repeated to the end of the file
 *   │ 1 to 5 bytes      │ length bytes of protobuf     │
 *   └───────────────────┴──────────────────────────────┘
 * </pre>
 *
 * <p>In JSON each request is a line. Compressed, it is a run of gzip members or zstd frames; each
 * record begins with one of its own. What is cut short can only be the end: it was being written
 * when the machine or the process stopped, and was not called delivered.
 */
final class RequestFile implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RequestFile.class);

  private final FileChannel channel;
  private long length;
  private long forced;

  /**
   * @param channel of an empty file, open for writing; closed with this object
   */
  RequestFile(FileChannel channel) {
    this.channel = channel;
  }

  /** Bytes of whole records. */
  long length() {
    return length;
  }

  /** Whether nothing in it is on the disk. */
  boolean isEmpty() {
    return forced == 0;
  }

  /**
   * Writes a record; {@link #force} makes it last. After an exception the file holds what was
   * forced before, and must not be written to.
   */
  void append(ByteBuffer... record) throws IOException {
    long added = remaining(record);
    try {
      while (remaining(record) > 0) {
        channel.write(record);
      }
    } catch (IOException e) {
      cutBack(e);
      throw e;
    }
    length += added;
  }

  private static long remaining(ByteBuffer... record) {
    long bytes = 0;
    for (ByteBuffer part : record) {
      bytes += part.remaining();
    }
    return bytes;
  }

  /** Returns once all records are on the disk. After an exception as {@link #append}. */
  void force() throws IOException {
    try {
      channel.force(false);
    } catch (IOException e) {
      cutBack(e);
      throw e;
    }
    forced = length;
  }

  /** What is left of a record would be taken for the beginning of the next. */
  private void cutBack(IOException cause) {
    length = forced;
    try {
      channel.truncate(forced);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      log.warn("file exporter: closing failed ({}). Nothing is lost: every record was forced.", e);
    }
  }
}
