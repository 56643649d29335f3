package io.spillway.otlp.codec;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Slice;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;

/** Compresses requests; keeps native state, belongs to one thread at a time. */
public final class BlockCompressor implements AutoCloseable {

  private static final VarHandle INT_LE =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  /** RFC 1952: magic, deflate, no flags, no time, "fastest algorithm", unknown system. */
  static final byte[] GZIP_HEADER = {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 4, (byte) 0xff};

  private static final int GZIP_TRAILER_BYTES = 8;

  /** Both codecs: what is stored once and sent as stored should cost little CPU. */
  private static final int FASTEST_LEVEL = 1;

  private static final int FIRST_SCRATCH_BYTES = 64 * 1024;

  /** A larger scratch buffer, left by a rare large request, is not kept. */
  private static final int MAX_KEPT_SCRATCH_BYTES = 4 * 1024 * 1024;

  /** Not one to each compressor: of many lanes few compress in the same moment. */
  private static final NativePool<IsaLDeflater> ISA_L_DEFLATERS =
      new NativePool<>(
          () -> new IsaLDeflater(Objects.requireNonNull(GzipLibrary.isaL())), IsaLDeflater::close);

  private final CRC32 crc = new CRC32();
  private byte[] scratch = new byte[0];

  /** Of what is in the scratch buffer of a gzip member. */
  private int end;

  private @Nullable Deflater deflater;
  private @Nullable ZstdCompressCtx zstd;
  private boolean closed;

  /**
   * The compressed bytes: one gzip member or one zstd frame with its content size. The result is
   * the caller's; {@code NONE} returns the argument.
   */
  public Slice compress(Codec codec, Slice bytes) {
    if (closed) {
      throw new IllegalStateException("compressor: already closed");
    }
    return switch (codec) {
      case NONE -> bytes;
      case GZIP -> takeScratch(gzip(bytes));
      case ZSTD -> takeScratch(zstd(bytes));
    };
  }

  private int gzip(Slice bytes) {
    // Telemetry shrinks to a quarter or less; what does not grows the buffer below.
    ensureScratch(Math.max(FIRST_SCRATCH_BYTES, bytes.length() / 2));
    System.arraycopy(GZIP_HEADER, 0, scratch, 0, GZIP_HEADER.length);
    end = GZIP_HEADER.length;
    if (GzipLibrary.isaL() == null) {
      deflate(bytes);
    } else {
      deflateByIsaL(bytes);
    }
    crc.reset();
    crc.update(bytes.array(), bytes.offset(), bytes.length());
    require(GZIP_TRAILER_BYTES);
    INT_LE.set(scratch, end, (int) crc.getValue());
    INT_LE.set(scratch, end + 4, bytes.length());
    return end + GZIP_TRAILER_BYTES;
  }

  private void deflate(Slice bytes) {
    Deflater deflater = deflater();
    try {
      deflater.setInput(bytes.array(), bytes.offset(), bytes.length());
      deflater.finish();
      while (!deflater.finished()) {
        require(1);
        end += deflater.deflate(scratch, end, scratch.length - end);
      }
    } finally {
      deflater.reset();
    }
  }

  private void deflateByIsaL(Slice bytes) {
    IsaLDeflater isaL = ISA_L_DEFLATERS.take();
    try {
      isaL.deflate(bytes, this::append);
    } finally {
      ISA_L_DEFLATERS.give(isaL);
    }
  }

  private void append(ByteBuffer from, int count) {
    require(count);
    from.get(0, scratch, end, count);
    end += count;
  }

  /** Makes room for more bytes behind the end. */
  private void require(int more) {
    if (scratch.length - end < more) {
      ensureScratch(Math.addExact(scratch.length, Math.max(scratch.length / 2, more)));
    }
  }

  private int zstd(Slice bytes) {
    ensureScratch(Math.toIntExact(Zstd.compressBound(bytes.length())));
    return zstdContext()
        .compressByteArray(
            scratch, 0, scratch.length, bytes.array(), bytes.offset(), bytes.length());
  }

  private void ensureScratch(int capacity) {
    if (scratch.length < capacity) {
      scratch = Arrays.copyOf(scratch, capacity);
    }
  }

  private Slice takeScratch(int length) {
    Slice result = Slice.of(Arrays.copyOf(scratch, length));
    if (scratch.length > MAX_KEPT_SCRATCH_BYTES) {
      scratch = new byte[0];
    }
    return result;
  }

  private Deflater deflater() {
    Deflater d = deflater;
    if (d == null) {
      d = new Deflater(FASTEST_LEVEL, true);
      deflater = d;
    }
    return d;
  }

  private ZstdCompressCtx zstdContext() {
    ZstdCompressCtx z = zstd;
    if (z == null) {
      z = new ZstdCompressCtx().setLevel(FASTEST_LEVEL).setContentSize(true);
      zstd = z;
    }
    return z;
  }

  /** Frees native state. Safe to call twice. */
  @Override
  public void close() {
    closed = true;
    scratch = new byte[0];
    if (deflater != null) {
      deflater.end();
      deflater = null;
    }
    if (zstd != null) {
      zstd.close();
      zstd = null;
    }
  }
}
