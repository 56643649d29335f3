package io.spillway.buffer;

import static io.spillway.buffer.LaneFixture.bytes;
import static io.spillway.buffer.LaneFixture.config;
import static io.spillway.buffer.LaneFixture.pollAll;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.buffer.LaneFixture.FakeClock;
import io.spillway.otlp.Codec;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Sender;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whose requests are is kept with them. */
@Timeout(60)
class TenantBlocksTest {
  private static final LaneId LANE = new LaneId("default", Signal.LOGS);

  @TempDir Path directory;
  private final FakeClock clock = new FakeClock();

  @Test
  void poll_interleavedTenants_areThoseOfTheirRequestsAlsoAfterARestart() throws Exception {
    List<String> stored = new ArrayList<>();
    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      Lane lane = buffer.lane(LANE, Codec.GZIP);
      List<CompletableFuture<Boolean>> appends = new ArrayList<>();
      for (int i = 0; i < 1000; i++) {
        String tenant = i % 5 == 0 ? "" : "tenant-" + i % 300;
        stored.add(tenant);
        appends.add(append(lane, bytes(100, i), tenant));
      }
      for (CompletableFuture<Boolean> append : appends) {
        assertThat(append.get(20, TimeUnit.SECONDS)).isTrue();
      }
    }

    try (Buffer buffer = Buffer.open(config(directory), clock)) {
      List<Block> blocks = pollAll(buffer.lane(LANE, Codec.GZIP));

      assertThat(blocks.stream().flatMap(block -> block.requests().stream()))
          .extracting(Block.Request::tenant)
          .containsExactlyElementsOf(stored);
      assertThat(blocks)
          .allSatisfy(
              block ->
                  assertThat(block.requests().stream().map(Block.Request::tenant).distinct())
                      .hasSizeLessThanOrEqualTo(TenantTable.MAX_TENANTS + 1));
    }
  }

  @Test
  void encode_withoutTenants_isAsBefore() {
    BlockHeader header = header(List.of(new Block.Request(10, 1), new Block.Request(20, 2)));

    byte[] bytes = header.encode();

    assertThat(bytes).hasSize(BlockHeader.FIXED_LENGTH + 2 * 8);
    assertThat(bytes[4]).as("version").isEqualTo((byte) 1);
    assertThat(BlockHeader.decode(bytes, 0, bytes.length)).isEqualTo(header);
  }

  @Test
  void decode_largestHeader_isWhatWasEncoded() {
    BlockHeader header = header(mostRequests());

    byte[] bytes = header.encode();

    assertThat(bytes).hasSize(header.length()).hasSize(BlockHeader.MAX_LENGTH);
    assertThat(BlockHeader.decode(bytes, 0, bytes.length)).isEqualTo(header);
  }

  @Test
  void read_largestHeader_isFoundInItsSegment() throws Exception {
    Slice payload = Slice.of(bytes(1000, 1));
    BlockHeader header =
        new BlockHeader(
            Signal.LOGS,
            Codec.NONE,
            payload.length(),
            BlockHeader.crc(payload),
            payload.length(),
            1,
            0,
            0,
            0,
            0,
            0,
            0,
            mostRequests(),
            false);
    byte[] encoded = header.encode();
    ByteBuffer file =
        ByteBuffer.allocate(100 + encoded.length + 1000).order(ByteOrder.LITTLE_ENDIAN);
    file.putInt(96, encoded.length + 1000).put(100, encoded);
    file.put(100 + encoded.length, payload.array(), payload.offset(), payload.length());
    Path segment = Files.write(directory.resolve("segment"), file.array());

    try (SegmentScan scan = SegmentScan.open(segment, 0);
        SegmentReader reader = SegmentReader.open(segment)) {
      BlockHeader scanned = scan.next(Long.MAX_VALUE);
      SegmentReader.Found found = reader.next();

      assertThat(scanned).isEqualTo(header);
      assertThat(BlockHeader.crc(scan.payload(scanned))).isEqualTo(header.payloadCrc());
      assertThat(found.header()).isEqualTo(header);
      assertThat(BlockHeader.crc(reader.payload(found))).isEqualTo(header.payloadCrc());
    }
  }

  @Test
  void decode_anyByteOfAHeaderWithTenantsChanged_isNoHeader() {
    byte[] bytes =
        header(List.of(new Block.Request(1, 1, "acme"), new Block.Request(1, 1, "globex")))
            .encode();
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] ^= 0x10;
      assertThat(BlockHeader.decode(bytes, 0, bytes.length)).as("byte " + i).isNull();
      bytes[i] ^= 0x10;
    }
  }

  /** As many as a header holds, of as many tenants with the longest names. */
  private static List<Block.Request> mostRequests() {
    List<Block.Request> requests = new ArrayList<>();
    for (int i = 0; i < BlockHeader.MAX_REQUESTS; i++) {
      String name = "%0128d".formatted(i % TenantTable.MAX_TENANTS);
      assertThat(Sender.flaw(name)).isNull();
      requests.add(new Block.Request(1, 1, i % 7 == 0 ? "" : name));
    }
    return requests;
  }

  private static BlockHeader header(List<Block.Request> requests) {
    return new BlockHeader(
        Signal.LOGS, Codec.GZIP, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, requests, false);
  }

  private static CompletableFuture<Boolean> append(Lane lane, byte[] request, String tenant) {
    CompletableFuture<Boolean> result = new CompletableFuture<>();
    lane.append(
        RequestBytes.of(Slice.of(request)),
        1,
        0,
        tenant,
        new Lane.AppendCallback() {
          @Override
          public void appended() {
            result.complete(true);
          }

          @Override
          public void refused(Lane.Refusal refusal) {
            result.complete(false);
          }
        });
    return result;
  }
}
