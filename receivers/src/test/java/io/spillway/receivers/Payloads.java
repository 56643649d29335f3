package io.spillway.receivers;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdOutputStream;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Random;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import net.jpountz.lz4.LZ4FrameOutputStream;
import org.xerial.snappy.Snappy;
import org.xerial.snappy.SnappyFramedOutputStream;

/** Request bodies. */
final class Payloads {
  private Payloads() {}

  static byte[] traces(int spans) {
    ScopeSpans.Builder scope = ScopeSpans.newBuilder();
    for (int i = 0; i < spans; i++) {
      scope.addSpans(Span.newBuilder().setName("span " + i).setStartTimeUnixNano(i));
    }
    return ExportTraceServiceRequest.newBuilder()
        .addResourceSpans(ResourceSpans.newBuilder().addScopeSpans(scope))
        .build()
        .toByteArray();
  }

  /** Bytes that do not compress; not a request, which the receiver does not look at. */
  static byte[] noise(int length) {
    byte[] bytes = new byte[length];
    new Random(42).nextBytes(bytes);
    return bytes;
  }

  static byte[] gzip(byte[] bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  static byte[] zstd(byte[] bytes) {
    return Zstd.compress(bytes);
  }

  /** In any format that requests come in; {@code snappy} is the one without frames. */
  static byte[] encoded(String format, byte[] bytes) {
    ByteArrayOutputStream encoded = new ByteArrayOutputStream();
    if (format.equals("snappy")) {
      return snappy(bytes);
    }
    try (OutputStream out =
        switch (format) {
          case "identity" -> encoded;
          case "gzip" -> new GZIPOutputStream(encoded);
          case "zstd" -> new ZstdOutputStream(encoded);
          case "zlib" -> new DeflaterOutputStream(encoded);
          case "x-snappy-framed" -> new SnappyFramedOutputStream(encoded);
          case "lz4" -> new LZ4FrameOutputStream(encoded);
          default -> throw new IllegalArgumentException(format);
        }) {
      out.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return encoded.toByteArray();
  }

  private static byte[] snappy(byte[] bytes) {
    try {
      return Snappy.compress(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** 1 GiB of zeros in a few KiB of zstd frames. */
  static byte[] zstdBomb() {
    return repeated(zstd(new byte[64 << 20]), 16);
  }

  /** 512 MiB of zeros in 512 KiB of gzip members; gzip has no higher ratio. */
  static byte[] gzipBomb() {
    return repeated(gzip(new byte[16 << 20]), 32);
  }

  static byte[] repeated(byte[] bytes, int times) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < times; i++) {
      out.writeBytes(bytes);
    }
    return out.toByteArray();
  }
}
