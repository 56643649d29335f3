package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.ID;
import static io.spillway.buffer.LaneFixture.assertBalanced;
import static io.spillway.buffer.LaneFixture.deliver;
import static io.spillway.buffer.LaneFixture.open;
import static io.spillway.buffer.LaneFixture.pollAll;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.codec.GzipMembers;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What of senders' gzip is stored as it came. */
@Timeout(60)
class PassthroughTest {
  private static final int LARGE = 2 * BlockBuilder.MIN_MEMBER_BYTES;
  private static final int SMALL = BlockBuilder.MIN_MEMBER_BYTES - 1;

  @TempDir Path directory;
  @TempDir Path secrets;
  private final FakeClock clock = new FakeClock();

  // ---- blocks

  @ParameterizedTest
  @EnumSource(
      names = {"AUTO", "ON"},
      value = GzipPassthrough.class)
  void build_oneRequest_isStoredAsItCame(GzipPassthrough passthrough) throws Exception {
    RequestBytes small = compressed(SMALL, 1);

    BlockBuilder.Built built = build(Codec.GZIP, passthrough, small);

    assertThat(built.payload()).isSameAs(small.gzip());
    assertThat(built.isKeepable()).isTrue();
    assertThat(built.header().payloadCrc()).isEqualTo(BlockHeader.crc(small.gzip()));
    assertHolds(built, small);
  }

  @Test
  void build_oneRequestAndOff_isCompressedHere() throws Exception {
    RequestBytes request = compressed(LARGE, 1);

    BlockBuilder.Built built = build(Codec.GZIP, GzipPassthrough.OFF, request);

    assertThat(GzipMembers.isOurs(built.payload(), LARGE)).isTrue();
    assertHolds(built, request);
  }

  @ParameterizedTest
  @EnumSource(
      value = Codec.class,
      names = {"NONE", "ZSTD"})
  void build_otherCodec_isCompressedHere(Codec codec) throws Exception {
    RequestBytes request = compressed(LARGE, 1);

    assertHolds(build(codec, GzipPassthrough.ON, request), request);
    assertHolds(build(codec, GzipPassthrough.ON, request, request), request, request);
  }

  @ParameterizedTest
  @EnumSource(
      names = {"AUTO", "OFF"},
      value = GzipPassthrough.class)
  void build_severalRequests_areOneMemberOfOurs(GzipPassthrough passthrough) throws Exception {
    RequestBytes[] requests = {compressed(LARGE, 1), compressed(LARGE, 2)};

    BlockBuilder.Built built = build(Codec.GZIP, passthrough, requests);

    assertThat(GzipMembers.isOurs(built.payload(), 2 * LARGE)).isTrue();
    assertHolds(built, requests);
  }

  @Test
  void build_severalRequestsAndOn_keepsTheMembersInTheirPlaces() throws Exception {
    RequestBytes first = compressed(LARGE, 1);
    RequestBytes second = compressed(LARGE, 2);
    RequestBytes plain = RequestBytes.of(Slice.of(text(LARGE, 3)));
    RequestBytes small = compressed(SMALL, 4);
    RequestBytes sampledOut = RequestBytes.of(Slice.EMPTY);
    RequestBytes[] requests = {plain, small, first, sampledOut, second, first, small, plain};

    BlockBuilder.Built built = build(Codec.GZIP, GzipPassthrough.ON, requests);

    assertHolds(built, requests);
    byte[] payload = built.payload().toByteArray();
    byte[] neighbours = join(second.gzip().toByteArray(), first.gzip().toByteArray());
    int at = indexOf(payload, join(first.gzip().toByteArray(), neighbours));
    assertThat(at).isPositive();
    int behind = at + 2 * first.gzip().length() + second.gzip().length();
    assertThat(plain(Arrays.copyOf(payload, at)))
        .isEqualTo(join(plain.plain().toByteArray(), small.plain().toByteArray()));
    assertThat(plain(Arrays.copyOfRange(payload, behind, payload.length)))
        .isEqualTo(join(small.plain().toByteArray(), plain.plain().toByteArray()));
    assertThat(GzipMembers.isOne(built.payload(), built.header().uncompressedLength())).isFalse();
    assertThat(built.header().requests()).hasSize(8 - 1);
  }

  @Test
  void build_severalSmallRequestsAndOn_areOneMemberOfOurs() throws Exception {
    RequestBytes[] requests = {compressed(SMALL, 1), compressed(SMALL, 2)};

    BlockBuilder.Built built = build(Codec.GZIP, GzipPassthrough.ON, requests);

    assertThat(GzipMembers.isOurs(built.payload(), 2 * SMALL)).isTrue();
    assertHolds(built, requests);
  }

  @Test
  void build_nothingButSampledOut_hasNoPayload() throws Exception {
    RequestBytes nothing = RequestBytes.of(Slice.EMPTY);

    assertThat(build(Codec.GZIP, GzipPassthrough.ON, nothing, nothing).payload().isEmpty())
        .isTrue();
  }

  // ---- lanes

  /** Three appends each wait for the one before, so that every block is one request. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void poll_liveAndAfterRestart_givesTheMembersAsTheyCame(boolean encrypted) throws Exception {
    List<RequestBytes> requests =
        List.of(compressed(LARGE, 1), compressed(SMALL, 2), compressed(1 << 20, 3));
    try (Buffer buffer = Buffer.open(config(encrypted), clock)) {
      Lane lane = open(buffer);
      lane.codec(Codec.GZIP);
      lane.gzipPassthrough(GzipPassthrough.AUTO);
      for (RequestBytes request : requests) {
        store(lane, request);
      }
      assertThat(payloads(pollAll(lane))).containsExactlyElementsOf(members(requests));
    }
    try (Buffer buffer = Buffer.open(config(encrypted), clock)) {
      Lane lane = open(buffer);
      List<Block> blocks = pollAll(lane);

      assertThat(payloads(blocks)).containsExactlyElementsOf(members(requests));
      for (int i = 0; i < blocks.size(); i++) {
        Block block = blocks.get(i);
        assertThat(plain(block.payload().toByteArray()))
            .isEqualTo(requests.get(i).plain().toByteArray());
        assertThat(block.uncompressedLength()).isEqualTo(requests.get(i).length());
        assertThat(block.hasSendersGzip()).isTrue();
        deliver(lane, block);
      }
      assertBalanced(lane.ledger());
      assertThat(lane.ledger().buffered()).isZero();
    }
  }

  @Test
  void poll_laneThatWasToldNothing_givesOurs() throws Exception {
    try (Buffer buffer = Buffer.open(config(false), clock)) {
      Lane lane = open(buffer);
      lane.codec(Codec.GZIP);
      store(lane, compressed(LARGE, 1));
      lane.gzipPassthrough(GzipPassthrough.ON);
      lane.codec(Codec.ZSTD);
      store(lane, compressed(LARGE, 2));

      List<Block> blocks = pollAll(lane);

      assertThat(blocks).extracting(Block::codec).containsExactly(Codec.GZIP, Codec.ZSTD);
      assertThat(blocks).noneMatch(Block::hasSendersGzip);
    }
  }

  // ---- small things

  private BufferConfig config(boolean encrypted) throws IOException {
    BufferConfig plain = LaneFixture.config(directory);
    if (!encrypted) {
      return plain;
    }
    Path keys = secrets.resolve("keys");
    Files.writeString(keys, "one:" + BlockCipherTest.key(1));
    return new BufferConfig(
        directory, plain.maxBytes(), plain.minFree(), plain.segmentBytes(), plain.lanes(), keys);
  }

  private BlockBuilder.Built build(
      Codec codec, GzipPassthrough passthrough, RequestBytes... requests) throws IOException {
    List<HandOver.Pending> appends = new ArrayList<>();
    for (RequestBytes request : requests) {
      appends.add(
          new HandOver.Pending(request, request.length() == 0 ? 0 : 1, 1, "", 1, callback()));
    }
    try (BlockBuilder builder = new BlockBuilder(ID, null, clock)) {
      return builder.build(appends, codec, passthrough, Totals.ZERO);
    }
  }

  private static Lane.AppendCallback callback() {
    return new Lane.AppendCallback() {
      @Override
      public void appended() {}

      @Override
      public void refused(Lane.Refusal refusal) {}
    };
  }

  private static void store(Lane lane, RequestBytes request) {
    CompletableFuture<String> result = new CompletableFuture<>();
    lane.append(
        request,
        1,
        0,
        "",
        new Lane.AppendCallback() {
          @Override
          public void appended() {
            result.complete("stored");
          }

          @Override
          public void refused(Lane.Refusal refusal) {
            result.complete(refusal.reason());
          }
        });
    assertThat(result.orTimeout(20, TimeUnit.SECONDS).join()).isEqualTo("stored");
  }

  private static void assertHolds(BlockBuilder.Built built, RequestBytes... requests)
      throws Exception {
    byte[] all = new byte[0];
    for (RequestBytes request : requests) {
      all = join(all, request.plain().toByteArray());
    }
    BlockHeader header = built.header();
    assertThat(header.uncompressedLength()).isEqualTo(all.length);
    assertThat(header.payloadLength()).isEqualTo(built.payload().length());
    assertThat(Decompression.decompress(header.codec(), built.payload(), all.length).toByteArray())
        .isEqualTo(all);
    assertThat(header.requests().stream().mapToInt(Block.Request::length).sum())
        .isEqualTo(all.length);
  }

  private static List<byte[]> payloads(List<Block> blocks) {
    return blocks.stream().map(block -> block.payload().toByteArray()).toList();
  }

  private static List<byte[]> members(List<RequestBytes> requests) {
    return requests.stream().map(request -> request.gzip().toByteArray()).toList();
  }

  private static byte[] plain(byte[] gzip) throws Exception {
    return Decompression.decompress(Codec.GZIP, Slice.of(gzip), 2 << 20).toByteArray();
  }

  /** As a receiver hands it over. */
  private static RequestBytes compressed(int length, long seed) throws IOException {
    byte[] text = text(length, seed);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(text);
    }
    return new RequestBytes(Slice.of(text), Slice.of(out.toByteArray()));
  }

  private static byte[] text(int length, long seed) {
    byte[] text = new byte[length];
    Random random = new Random(seed);
    for (int i = 0; i < length; i++) {
      text[i] = (byte) ('a' + random.nextInt(4));
    }
    return text;
  }

  private static byte[] join(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private static int indexOf(byte[] bytes, byte[] part) {
    for (int at = 0; at <= bytes.length - part.length; at++) {
      if (Arrays.equals(bytes, at, at + part.length, part, 0, part.length)) {
        return at;
      }
    }
    return -1;
  }
}
