package io.spillway.relay.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.codec.GzipMembers;
import io.spillway.otlp.json.JsonTranscoder;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.RetrySettings;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ReplayTest {
  private final StringWriter err = new StringWriter();

  @Test
  void run_goodSink_sendsBlocksAsStored() throws Exception {
    FakeSink sink = new FakeSink(Codec.GZIP, request -> new Outcome.Delivered());
    List<Block> blocks = List.of(block(0, Codec.GZIP, "a", "b"), block(2, Codec.GZIP, "c"));

    Replay.Result result = replay(sink, blocks);

    assertThat(result.isComplete()).isTrue();
    assertThat(result.total()).isEqualTo(3);
    assertThat(result.delivered()).isEqualTo(3);
    assertThat(result.requests()).isEqualTo(2);
    assertThat(sink.taken)
        .extracting(ExportRequest::payload)
        .containsExactlyInAnyOrder(blocks.get(0).payload(), blocks.get(1).payload());
  }

  @Test
  void run_otherCodec_isTranscoded() throws Exception {
    FakeSink sink = new FakeSink(Codec.NONE, request -> new Outcome.Delivered());

    assertThat(replay(sink, List.of(block(0, Codec.ZSTD, "a", "b"))).isComplete()).isTrue();

    assertThat(sink.names()).containsExactly("a", "b");
    assertThat(sink.taken.getFirst().codec()).isEqualTo(Codec.NONE);
  }

  @Test
  void run_partlyRejectedAndBadData_areCountedAndNotComplete() throws Exception {
    FakeSink sink =
        new FakeSink(
            Codec.GZIP,
            request ->
                text(request).contains("bad")
                    ? new Outcome.BadData("poison")
                    : new Outcome.Delivered(text(request).contains("no") ? 1 : 0, ""));

    Replay.Result result =
        replay(sink, List.of(block(0, Codec.GZIP, "a", "bad", "c"), block(3, Codec.GZIP, "no")));

    assertThat(result.isComplete()).isFalse();
    assertThat(result.delivered()).isEqualTo(2);
    assertThat(result.badData()).isEqualTo(1);
    assertThat(result.rejected()).isEqualTo(1);
    assertThat(result.stop()).isNull();
    assertThat(sink.names()).containsExactlyInAnyOrder("a", "c", "no");
  }

  /** There is gzip that ISA-L reads and others do not. */
  @Test
  void run_sendersGzipRefusedAsBadData_isSentOnceMoreCompressedAnew() throws Exception {
    FakeSink sink =
        new FakeSink(
            Codec.GZIP,
            request ->
                GzipMembers.isOurs(request.payload(), request.uncompressedLength())
                    ? new Outcome.Delivered()
                    : new Outcome.BadData("cannot inflate"));

    Replay.Result result = replay(sink, List.of(gzippedBySender(request("a"))));

    assertThat(result.isComplete()).isTrue();
    assertThat(result.delivered()).isEqualTo(1);
    assertThat(sink.attempts).hasValue(2);
  }

  @Test
  void run_severalMembers_goToASinkThatMayNotTakeThemAsOne() throws Exception {
    FakeSink sink = new FakeSink(Codec.GZIP, request -> new Outcome.Delivered());

    assertThat(replay(sink, List.of(gzippedBySender(request("a"), request("b")))).isComplete())
        .isTrue();

    assertThat(sink.names()).containsExactly("a", "b");
    ExportRequest taken = sink.taken.getFirst();
    assertThat(GzipMembers.isOurs(taken.payload(), taken.uncompressedLength())).isTrue();
  }

  @Test
  void run_tooLarge_isCutAtRequestsAndThenAtItems() throws Exception {
    int one = request("a").length;
    FakeSink sink =
        new FakeSink(
            Codec.GZIP,
            request ->
                request.uncompressedLength() > one
                    ? new Outcome.TooLarge("max " + one)
                    : new Outcome.Delivered());
    byte[] pair = request("e", "f");
    Block both = block(3, Codec.GZIP, pair, List.of(new Block.Request(pair.length, 2)));

    Replay.Result result =
        replay(
            sink,
            List.of(
                block(0, Codec.GZIP, "a", "b", "c"), both, block(5, Codec.GZIP, "x".repeat(99))));

    assertThat(sink.names()).containsExactlyInAnyOrder("a", "b", "c", "e", "f");
    assertThat(result.tooLarge()).isEqualTo(1);
    assertThat(result.delivered()).isEqualTo(5);
  }

  @Test
  void run_maxRequestBytes_neverSendsMore() throws Exception {
    FakeSink sink = new FakeSink(Codec.GZIP, request -> new Outcome.Delivered());
    sink.maxRequestBytes = 2 * request("a").length;

    assertThat(replay(sink, List.of(block(0, Codec.GZIP, "a", "b", "c", "d", "e"))).isComplete())
        .isTrue();

    assertThat(sink.taken)
        .hasSizeBetween(3, 5)
        .allMatch(request -> request.uncompressedLength() <= sink.maxRequestBytes);
    assertThat(sink.names()).containsExactly("a", "b", "c", "d", "e");
  }

  @Test
  void run_retry_isTriedAgainUntilTaken() throws Exception {
    AtomicInteger refusals = new AtomicInteger();
    FakeSink sink =
        new FakeSink(
            Codec.GZIP,
            request ->
                refusals.getAndIncrement() < 3
                    ? new Outcome.Retry(null, ErrorClass.THROTTLED, "later")
                    : new Outcome.Delivered());

    assertThat(replay(sink, List.of(block(0, Codec.GZIP, "a"))).isComplete()).isTrue();
    assertThat(refusals).hasValue(4);
  }

  @Test
  void run_retryLongerThanPatience_stops() throws Exception {
    FakeSink sink =
        new FakeSink(
            Codec.GZIP,
            request -> new Outcome.Retry(Duration.ofHours(1), ErrorClass.THROTTLED, "in an hour"));

    Replay.Result result = replay(sink, List.of(block(7, Codec.GZIP, "a")));

    assertThat(result.stop())
        .isEqualTo(
            new Replay.Stop(
                "lane", 7, "otlp_http/x told to wait for longer than --retry-for 1m: in an hour"));
  }

  @Test
  void run_sinkGoesDown_stopsAtTheFirstItemNotSent() throws Exception {
    AtomicInteger attempts = new AtomicInteger();
    FakeSink sink =
        new FakeSink(
            Codec.GZIP,
            request ->
                text(request).contains("x")
                    ? new Outcome.SinkDown(ErrorClass.AUTH, "HTTP 401")
                    : new Outcome.Delivered(),
            attempts);
    List<Block> blocks = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      blocks.add(block(i, Codec.GZIP, i < 5 ? "a" : "x"));
    }

    Replay.Result result = replay(sink, blocks);

    assertThat(result.delivered()).isEqualTo(5);
    assertThat(result.stop())
        .isEqualTo(new Replay.Stop("lane", 5, "otlp_http/x is down (auth): HTTP 401"));
    assertThat(attempts).hasValueLessThanOrEqualTo(9);
    assertThat(result.isComplete()).isFalse();
  }

  // ---- what the tests share

  private Replay.Result replay(FakeSink sink, List<Block> blocks) throws Exception {
    PrintWriter to = new PrintWriter(err);
    ReplayProgress progress = new ReplayProgress(to, false, System::nanoTime);
    return new Replay(sink, 0, Duration.ofMinutes(1), progress, to).run(List.of(input(blocks)));
  }

  private static ReplayInput input(List<Block> blocks) {
    return new ReplayInput() {
      @Override
      public String name() {
        return "lane";
      }

      @Override
      public long items() {
        return blocks.stream().mapToLong(Block::items).sum();
      }

      @Override
      public Blocks open() {
        Iterator<Block> rest = blocks.iterator();
        return new Blocks() {
          @Override
          public @Nullable Block next() {
            return rest.hasNext() ? rest.next() : null;
          }

          @Override
          public long unreadable() {
            return 0;
          }

          @Override
          public void close() {}
        };
      }
    };
  }

  private static byte[] request(String... names) {
    List<String> spans = new ArrayList<>();
    for (String name : names) {
      spans.add("{\"name\":\"" + name + "\"}");
    }
    String json =
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[" + String.join(",", spans) + "]}]}]}";
    try {
      byte[] text = json.getBytes(StandardCharsets.UTF_8);
      return JsonTranscoder.toProtobuf(Signal.TRACES, Slice.of(text), 1 << 20).toByteArray();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** A block of a request with one span for each name. */
  private static Block block(long firstItem, Codec codec, String... names) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    List<Block.Request> requests = new ArrayList<>();
    for (String name : names) {
      byte[] request = request(name);
      all.writeBytes(request);
      requests.add(new Block.Request(request.length, 1));
    }
    return block(firstItem, codec, all.toByteArray(), requests);
  }

  private static Block block(
      long firstItem, Codec codec, byte[] plain, List<Block.Request> requests) {
    int items = requests.stream().mapToInt(Block.Request::items).sum();
    try (BlockCompressor compressor = new BlockCompressor()) {
      return new Block(
          Signal.TRACES,
          codec,
          firstItem,
          firstItem,
          items,
          requests,
          plain.length,
          compressor.compress(codec, Slice.of(plain)),
          Instant.EPOCH,
          Instant.EPOCH,
          true);
    }
  }

  private static Block gzippedBySender(byte[]... members) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    List<Block.Request> requests = new ArrayList<>();
    int length = 0;
    for (byte[] member : members) {
      try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
        gzip.write(member);
      }
      requests.add(new Block.Request(member.length, 1));
      length += member.length;
    }
    return new Block(
        Signal.TRACES,
        Codec.GZIP,
        0,
        0,
        members.length,
        requests,
        length,
        Slice.of(out.toByteArray()),
        Instant.EPOCH,
        Instant.EPOCH,
        true);
  }

  private static String text(ExportRequest request) {
    try {
      byte[] plain =
          Decompression.decompress(request.codec(), request.payload(), request.uncompressedLength())
              .toByteArray();
      return new String(plain, StandardCharsets.ISO_8859_1);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** A sink that answers as it is told to. */
  private static final class FakeSink implements Exporter {
    final List<ExportRequest> taken = Collections.synchronizedList(new ArrayList<>());
    private final Codec codec;
    private final Function<ExportRequest, Outcome> answer;
    private final AtomicInteger attempts;
    int maxRequestBytes = 4 << 20;

    FakeSink(Codec codec, Function<ExportRequest, Outcome> answer) {
      this(codec, answer, new AtomicInteger());
    }

    FakeSink(Codec codec, Function<ExportRequest, Outcome> answer, AtomicInteger attempts) {
      this.codec = codec;
      this.answer = answer;
      this.attempts = attempts;
    }

    /** The spans that were taken, in order. */
    List<String> names() {
      List<String> names = new ArrayList<>();
      for (ExportRequest request : List.copyOf(taken)) {
        // Names are the only text in these spans: 2a len name.
        String text = text(request);
        for (int at = text.indexOf(0x2a); at >= 0; at = text.indexOf(0x2a, at + 1)) {
          names.add(text.substring(at + 2, at + 2 + text.charAt(at + 1)));
        }
      }
      return names;
    }

    @Override
    public String id() {
      return "otlp_http/x";
    }

    @Override
    public Codec codec() {
      return codec;
    }

    @Override
    public int maxRequestBytes() {
      return maxRequestBytes;
    }

    @Override
    public RetrySettings retry() {
      return new RetrySettings(Duration.ofMillis(1), Duration.ofMillis(1), 1, 0);
    }

    @Override
    public CompletableFuture<Outcome> export(ExportRequest request) {
      attempts.incrementAndGet();
      Outcome outcome = answer.apply(request);
      if (outcome instanceof Outcome.Delivered) {
        taken.add(request);
      }
      return CompletableFuture.completedFuture(outcome);
    }

    @Override
    public void close(Duration deadline) {}
  }
}
