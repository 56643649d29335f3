package io.spillway.tests.harness;

import com.github.luben.zstd.ZstdInputStream;
import com.github.luben.zstd.ZstdOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/** A compression of requests, as named on the wire. */
public enum Encoding {
  IDENTITY {
    @Override
    OutputStream compressing(OutputStream out) {
      return out;
    }

    @Override
    InputStream decompressing(InputStream in) {
      return in;
    }
  },
  GZIP {
    @Override
    OutputStream compressing(OutputStream out) throws IOException {
      return new GZIPOutputStream(out);
    }

    @Override
    InputStream decompressing(InputStream in) throws IOException {
      return new GZIPInputStream(in);
    }
  },
  ZSTD {
    @Override
    OutputStream compressing(OutputStream out) throws IOException {
      return new ZstdOutputStream(out);
    }

    @Override
    InputStream decompressing(InputStream in) throws IOException {
      return new ZstdInputStream(in);
    }
  };

  abstract OutputStream compressing(OutputStream out) throws IOException;

  abstract InputStream decompressing(InputStream in) throws IOException;

  /** The token in {@code Content-Encoding} and {@code grpc-encoding}. */
  public String token() {
    return this == IDENTITY ? "identity" : name().toLowerCase(java.util.Locale.ROOT);
  }

  public byte[] compress(byte[] plain) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = compressing(bytes)) {
      out.write(plain);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  public byte[] decompress(byte[] compressed) throws IOException {
    try (InputStream in = decompressing(new ByteArrayInputStream(compressed))) {
      return in.readAllBytes();
    }
  }

  static Encoding ofToken(String token) {
    for (Encoding encoding : values()) {
      if (encoding.token().equals(token)) {
        return encoding;
      }
    }
    throw new IllegalArgumentException(
        "encoding \"" + token + "\" (expected identity, gzip, zstd)");
  }
}
