package io.spillway.otlp.codec;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.codec.Decompression.Room;
import io.spillway.otlp.fuzz.FuzzTarget;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * Any bytes as a raw deflate stream: what ISA-L makes of them, the JDK makes of them too, up to the
 * same byte. Where there is no ISA-L it only tries the JDK.
 */
public final class InflatersFuzz implements FuzzTarget {
  private static final int LIMIT = 1 << 20;

  private final @Nullable IsaL isaL;

  public InflatersFuzz() {
    require(!GzipLibrary.load().isEmpty(), "names nothing");
    this.isaL = GzipLibrary.isaL();
  }

  @Override
  public List<byte[]> seeds() {
    byte[] text = "a request that repeats itself; ".repeat(30).getBytes(StandardCharsets.US_ASCII);
    byte[] noise = new byte[300];
    new Random(1).nextBytes(noise);
    List<byte[]> seeds = new ArrayList<>();
    for (byte[] plain : List.of(new byte[0], text, noise)) {
      for (int strategy : new int[] {Deflater.DEFAULT_STRATEGY, Deflater.HUFFMAN_ONLY}) {
        seeds.add(deflated(plain, strategy));
      }
    }
    return seeds;
  }

  @Override
  public void check(byte[] input) throws Exception {
    BoundedOutput byJdk = new BoundedOutput("gzip", 0, LIMIT, Room.ENDLESS);
    int end = jdk(input, byJdk);
    if (isaL == null) {
      return;
    }
    BoundedOutput byIsaL = new BoundedOutput("gzip", 0, LIMIT, Room.ENDLESS);
    int isaLEnd;
    try (IsaLInflater inflater = new IsaLInflater(isaL)) {
      isaLEnd = inflater.inflate(input, 0, input.length, byIsaL);
    }
    if (isaLEnd == IsaLInflater.REFUSED) {
      // Not wrong, but slow; where streams are valid, it must not be the rule.
      return;
    }
    require(isaLEnd == end, "ISA-L reads up to " + isaLEnd + ", the JDK to " + end);
    require(
        Arrays.equals(byIsaL.finish().toByteArray(), byJdk.finish().toByteArray()),
        "the two read it otherwise");
  }

  /** Where the stream ends, or that it is refused. */
  private static int jdk(byte[] input, BoundedOutput out) {
    try (Inflater inflater = new Inflater(true)) {
      inflater.setInput(input);
      out.inflate(inflater);
      return input.length - inflater.getRemaining();
    } catch (MalformedRequestException | PayloadTooLargeException e) {
      require(e.getMessage() != null, "says nothing");
      return IsaLInflater.REFUSED;
    }
  }

  private static byte[] deflated(byte[] plain, int strategy) {
    try (Deflater deflater = new Deflater(9, true)) {
      deflater.setStrategy(strategy);
      byte[] deflated = new byte[plain.length + 64];
      deflater.setInput(plain);
      deflater.finish();
      return Arrays.copyOf(deflated, deflater.deflate(deflated));
    }
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
