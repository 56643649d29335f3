package io.spillway.otlp.codec;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import java.util.zip.ZipException;

/**
 * Reads gzip members (RFC 1952), one after the other, as one stream. Unlike the JDK's reader it
 * tells an end between members from an end within one, and junk from the end. For one thread.
 */
final class GzipInput extends InputStream {
  private static final int BUFFER_BYTES = 64 << 10;
  private static final int MAGIC = 0x8b1f;
  private static final int DEFLATE = 8;
  private static final int FHCRC = 2;
  private static final int FEXTRA = 4;
  private static final int FNAME = 8;
  private static final int FCOMMENT = 16;
  private static final int RESERVED_FLAGS = 0xe0;

  /** Time, extra flags, system: of no interest. */
  private static final int REST_OF_HEADER_BYTES = 6;

  private final InputStream in;
  private final Inflater inflater = new Inflater(true);
  private final CRC32 crc = new CRC32();
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int pos;
  private int limit;
  private boolean inMember;

  GzipInput(InputStream in) {
    this.in = in;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (inMember || begin()) {
      int n = inflate(target, offset, length);
      if (n > 0) {
        crc.update(target, offset, n);
        return n;
      }
      if (inflater.finished()) {
        pos = limit - inflater.getRemaining();
        trailer();
      } else {
        need();
        inflater.setInput(buffer, pos, limit - pos);
        pos = limit;
      }
    }
    return -1;
  }

  private int inflate(byte[] target, int offset, int length) throws ZipException {
    try {
      int n = inflater.inflate(target, offset, length);
      if (n == 0 && inflater.needsDictionary()) {
        throw new ZipException("bad gzip: it wants a dictionary");
      }
      return n;
    } catch (DataFormatException e) {
      throw new ZipException("bad gzip: " + e.getMessage());
    }
  }

  /** Steps over a member's header. False at the end. */
  private boolean begin() throws IOException {
    if (!fill()) {
      return false;
    }
    crc.reset();
    if ((header() | header() << 8) != MAGIC) {
      throw new ZipException("not gzip, or junk behind it");
    }
    if (header() != DEFLATE) {
      throw new ZipException("gzip of an unknown method (expected 8, deflate)");
    }
    int flags = header();
    if ((flags & RESERVED_FLAGS) != 0) {
      throw new ZipException("bad gzip: reserved header flags are set");
    }
    skip(REST_OF_HEADER_BYTES);
    if ((flags & FEXTRA) != 0) {
      skip(header() | header() << 8);
    }
    if ((flags & FNAME) != 0) {
      skipText();
    }
    if ((flags & FCOMMENT) != 0) {
      skipText();
    }
    if ((flags & FHCRC) != 0 && (next() | next() << 8) != (crc.getValue() & 0xffff)) {
      throw new ZipException("bad gzip: its header's checksum is another");
    }
    inflater.reset();
    crc.reset();
    inMember = true;
    return true;
  }

  private void trailer() throws IOException {
    if (number() != crc.getValue()) {
      throw new ZipException("bad gzip: its checksum is another");
    }
    if (number() != (inflater.getBytesWritten() & 0xffff_ffffL)) {
      throw new ZipException("bad gzip: its length is another");
    }
    inMember = false;
  }

  private long number() throws IOException {
    return next() | next() << 8 | next() << 16 | (long) next() << 24;
  }

  private void skip(int bytes) throws IOException {
    for (int i = 0; i < bytes; i++) {
      header();
    }
  }

  private void skipText() throws IOException {
    int c = header();
    while (c != 0) {
      c = header();
    }
  }

  /** The next byte of a header, which counts for its checksum. */
  private int header() throws IOException {
    int next = next();
    crc.update(next);
    return next;
  }

  private int next() throws IOException {
    need();
    return buffer[pos++] & 0xff;
  }

  private void need() throws IOException {
    if (!fill()) {
      throw new EOFException("cut short");
    }
  }

  private boolean fill() throws IOException {
    if (pos == limit) {
      pos = 0;
      limit = Math.max(0, in.read(buffer));
    }
    return pos < limit;
  }

  @Override
  public void close() throws IOException {
    inflater.end();
    in.close();
  }
}
