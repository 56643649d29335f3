package io.spillway.otlp.codec;

import com.github.luben.zstd.ZstdIOException;
import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Reads zstd frames (RFC 8878), one after the other, as one stream. For one thread. */
final class ZstdInput extends InputStream {
  private final Source source;
  private final ZstdInputStreamNoFinalizer zstd;

  ZstdInput(InputStream in) throws IOException {
    this.source = new Source(in);
    this.zstd = new ZstdInputStreamNoFinalizer(source);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  /** A frame that fails where there is no more to read is one that is not whole. */
  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    try {
      return zstd.read(target, offset, length);
    } catch (ZstdIOException e) {
      if (source.ended) {
        EOFException cut = new EOFException("cut short");
        cut.initCause(e);
        throw cut;
      }
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    zstd.close();
  }

  /** Notes that it was asked for more than there is. */
  private static final class Source extends FilterInputStream {
    boolean ended;

    Source(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      int n = super.read(target, offset, length);
      ended |= n < 0;
      return n;
    }
  }
}
