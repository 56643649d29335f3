package io.spillway.otlp.codec;

import com.github.luben.zstd.ZstdInputStream;
import com.github.luben.zstd.ZstdOutputStream;
import com.sun.management.ThreadMXBean;
import io.spillway.otlp.Codec;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.fuzz.FuzzTarget;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.InflaterInputStream;
import net.jpountz.lz4.LZ4FrameInputStream;
import net.jpountz.lz4.LZ4FrameOutputStream;
import org.xerial.snappy.Snappy;
import org.xerial.snappy.SnappyFramedInputStream;
import org.xerial.snappy.SnappyFramedOutputStream;

/**
 * Any bytes as a compressed body: a documented exception, or what the reference decoder makes of
 * it, within the limit and without much more memory. The same bytes compressed by the reference
 * come back.
 *
 * <pre>
 *   encoding (1 byte)  limit (1 byte)  body
 * </pre>
 */
public final class DecompressionFuzz implements FuzzTarget {
  private static final int HEAD_BYTES = 2;
  private static final int[] LIMITS = {0, 64, 4096, 1 << 20};
  private static final int ENOUGH = 3;

  /** Beside a small multiple of limit and input: block tables of decoders, and the like. */
  private static final long FIXED_BYTES = 2 << 20;

  private static final int RATIO = 64;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Loads classes, so that what is measured afterwards is the decoders alone. */
  public DecompressionFuzz() throws Exception {
    require(!GzipLibrary.load().isEmpty(), "names nothing");
    for (Encoding encoding : Encoding.values()) {
      roundTrip(encoding, false, new byte[] {1, 2, 3});
      roundTrip(encoding, true, new byte[] {1, 2, 3});
      refuse(encoding);
    }
  }

  private static void refuse(Encoding encoding) throws Exception {
    try {
      Decompression.decompress(encoding, Slice.of(new byte[] {1, 2, 3}), 2);
    } catch (MalformedRequestException | PayloadTooLargeException e) {
      require(e.getMessage() != null, "says nothing");
    }
  }

  @Override
  public List<byte[]> seeds() throws Exception {
    byte[] text = "a request that repeats itself; ".repeat(30).getBytes(StandardCharsets.US_ASCII);
    byte[] noise = new byte[300];
    new Random(1).nextBytes(noise);
    List<byte[]> seeds = new ArrayList<>();
    for (Encoding encoding : Encoding.values()) {
      for (byte[] plain : List.of(new byte[0], text, noise)) {
        byte[] body = encode(encoding, false, plain);
        seeds.add(seed(encoding, ENOUGH, body));
        seeds.add(seed(encoding, 2, join(body, body)));
      }
    }
    seeds.add(seed(Encoding.SNAPPY, ENOUGH, encode(Encoding.SNAPPY, true, text)));
    return seeds;
  }

  private static byte[] seed(Encoding encoding, int limit, byte[] body) {
    return join(new byte[] {(byte) encoding.ordinal(), (byte) limit}, body);
  }

  @Override
  public void check(byte[] input) throws Exception {
    if (input.length < HEAD_BYTES) {
      return;
    }
    Encoding encoding = Encoding.values()[(input[0] & 0xff) % Encoding.values().length];
    int limit = LIMITS[(input[1] & 0xff) % LIMITS.length];
    byte[] body = Arrays.copyOfRange(input, HEAD_BYTES, input.length);
    decode(encoding, body, limit);
    roundTrip(encoding, (input[1] & 0x80) != 0, body);
  }

  private void decode(Encoding encoding, byte[] body, int limit) throws Exception {
    long before = threads.getCurrentThreadAllocatedBytes();
    byte[] plain;
    try {
      plain = Decompression.decompress(encoding, surrounded(body), limit).toByteArray();
    } catch (MalformedRequestException e) {
      requireSmall(before, body.length, limit);
      require(
          body.length == 0 || !streams(encoding, body, limit),
          "the stream reads it all the same: " + e);
      return;
    } catch (PayloadTooLargeException e) {
      requireSmall(before, body.length, limit);
      return;
    }
    requireSmall(before, body.length, limit);
    require(plain.length <= limit, plain.length + " bytes");
    byte[] reference = reference(encoding, body, limit);
    require(
        reference == null || Arrays.equals(reference, plain), "the reference reads it otherwise");
    if (encoding == Encoding.GZIP) {
      require(streams(encoding, body, limit), "the stream refuses it");
    }
  }

  private void requireSmall(long before, int bodyBytes, int limit) {
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    require(
        allocated <= FIXED_BYTES + 8L * limit + (long) RATIO * bodyBytes,
        "took " + allocated + " bytes");
  }

  /** Whether the other gzip reader of ours, which takes an empty file for one, reads it all. */
  private static boolean streams(Encoding encoding, byte[] body, int limit) {
    if (encoding != Encoding.GZIP) {
      return false;
    }
    try (InputStream in = Decompression.stream(Codec.GZIP, new ByteArrayInputStream(body))) {
      return in.readNBytes(limit + 1).length <= limit;
    } catch (IOException e) {
      return false;
    }
  }

  /** Null if the reference does not know this variant: it may know fewer than the format has. */
  private static byte[] reference(Encoding encoding, byte[] body, int limit) throws IOException {
    boolean complete = encoding == Encoding.GZIP || encoding == Encoding.ZLIB;
    try (InputStream in = referenceDecoder(encoding, body)) {
      return in.readNBytes(limit + 1);
    } catch (IOException | RuntimeException e) {
      if (complete) {
        throw e;
      }
      return null;
    }
  }

  private static InputStream referenceDecoder(Encoding encoding, byte[] body) throws IOException {
    InputStream in = new ByteArrayInputStream(body);
    return switch (encoding) {
      case IDENTITY -> in;
      case GZIP -> new GZIPInputStream(in);
      case ZLIB -> new InflaterInputStream(in);
      case ZSTD -> new ZstdInputStream(in);
      case LZ4 -> new LZ4FrameInputStream(in);
      case SNAPPY ->
          body.length > 0 && body[0] == (byte) 0xff
              ? new SnappyFramedInputStream(in)
              : new ByteArrayInputStream(Snappy.uncompress(body));
    };
  }

  private static void roundTrip(Encoding encoding, boolean framed, byte[] plain) throws Exception {
    byte[] encoded = encode(encoding, framed, plain);
    byte[] back =
        Decompression.decompress(encoding, surrounded(encoded), plain.length).toByteArray();
    require(Arrays.equals(back, plain), "comes back otherwise");
  }

  private static byte[] encode(Encoding encoding, boolean framed, byte[] plain) throws IOException {
    if (encoding == Encoding.SNAPPY && !framed) {
      return Snappy.compress(plain);
    }
    ByteArrayOutputStream encoded = new ByteArrayOutputStream();
    try (OutputStream out =
        switch (encoding) {
          case IDENTITY -> encoded;
          case GZIP -> new GZIPOutputStream(encoded);
          case ZLIB -> new DeflaterOutputStream(encoded);
          case ZSTD -> new ZstdOutputStream(encoded);
          case LZ4 -> new LZ4FrameOutputStream(encoded, LZ4FrameOutputStream.BLOCKSIZE.SIZE_64KB);
          case SNAPPY -> new SnappyFramedOutputStream(encoded);
        }) {
      out.write(plain);
    }
    return encoded.toByteArray();
  }

  private static Slice surrounded(byte[] bytes) {
    byte[] array = new byte[bytes.length + 7];
    Arrays.fill(array, (byte) 0x5a);
    System.arraycopy(bytes, 0, array, 3, bytes.length);
    return new Slice(array, 3, bytes.length);
  }

  private static byte[] join(byte[] one, byte[] other) {
    byte[] joined = Arrays.copyOf(one, one.length + other.length);
    System.arraycopy(other, 0, joined, one.length, other.length);
    return joined;
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
