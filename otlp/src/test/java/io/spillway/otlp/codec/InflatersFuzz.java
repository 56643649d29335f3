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
import java.util.regex.Pattern;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * Any bytes as a raw deflate stream: what both ISA-L and the JDK make of them is the same, up to
 * the same byte; and what the JDK refuses, ISA-L refuses, but for Huffman codes with words that
 * stand for nothing (RFC 1951 does not forbid them, the JDK does): there the member's checksum
 * decides. Where there is no ISA-L it only tries the JDK.
 */
public final class InflatersFuzz implements FuzzTarget {
  private static final int LIMIT = 1 << 20;

  /** How the JDK says that a code is incomplete, or cannot end a block. */
  private static final Pattern INCOMPLETE_CODE =
      Pattern.compile("invalid .* set|invalid code -- missing end-of-block");

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
    int end = IsaLInflater.REFUSED;
    String why = "";
    try (Inflater inflater = new Inflater(true)) {
      inflater.setInput(input);
      byJdk.inflate(inflater);
      end = input.length - inflater.getRemaining();
    } catch (MalformedRequestException | PayloadTooLargeException e) {
      why = e.getMessage();
      require(why != null, "says nothing");
    }
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
    if (INCOMPLETE_CODE.matcher(why).find()) {
      return;
    }
    require(isaLEnd == end, "ISA-L reads up to " + isaLEnd + ", the JDK to " + end + ": " + why);
    require(
        Arrays.equals(byIsaL.finish().toByteArray(), byJdk.finish().toByteArray()),
        "the two read it otherwise");
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
