package io.spillway.exporters;

import io.spillway.otlp.Slice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file of export requests of one signal, as protobuf's {@code writeDelimitedTo} writes them and
 * {@code parseDelimitedFrom} reads them.
 *
 * <pre>
 *   ┌───────────────────┬──────────────────────────────┐
 *   │ length: varint,   │ Export…ServiceRequest,       │  … repeated to the end of the file
 *   │ 1 to 5 bytes      │ length bytes of protobuf     │
 *   └───────────────────┴──────────────────────────────┘
 * </pre>
 *
 * <p>Not compressed. A record that is cut short can only be the last one: it was being written when
 * the machine or the process stopped, and was not called delivered.
 */
final class RequestFile implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RequestFile.class);
  private static final int MAX_VARINT_BYTES = 5;

  private final FileChannel channel;
  private long length;

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

  /**
   * Returns once the request is on the disk. After an exception the file holds the records before
   * it and must not be appended to.
   */
  void append(Slice request) throws IOException {
    ByteBuffer head = varint(request.length());
    ByteBuffer body = ByteBuffer.wrap(request.array(), request.offset(), request.length());
    long added = (long) head.remaining() + body.remaining();
    try {
      ByteBuffer[] record = {head, body};
      while (body.hasRemaining() || head.hasRemaining()) {
        channel.write(record);
      }
      channel.force(false);
    } catch (IOException e) {
      cutBack(e);
      throw e;
    }
    length += added;
  }

  /** What is left of a record would be taken for the beginning of the next. */
  private void cutBack(IOException cause) {
    try {
      channel.truncate(length);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  private static ByteBuffer varint(int value) {
    ByteBuffer bytes = ByteBuffer.allocate(MAX_VARINT_BYTES);
    int rest = value;
    while (rest > 0x7f) {
      bytes.put((byte) (rest | 0x80));
      rest >>>= 7;
    }
    return bytes.put((byte) rest).flip();
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
