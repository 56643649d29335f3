package io.spillway.otlp.wire;

import com.google.protobuf.Message;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.fuzz.FuzzTarget;
import io.spillway.otlp.wire.ItemFilter.Filtered;
import io.spillway.otlp.wire.RequestSplitter.Part;
import io.spillway.otlp.wire.TraceSampler.Sampled;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/**
 * Any bytes as a request: the scanner's verdict and count are protobuf-java's, and what the filter,
 * the splitter and the sampler make of it is valid and holds what it should.
 *
 * <pre>
 *   signal (1 byte)  size of parts / 8 (1 byte)  request
 * </pre>
 */
public final class RequestScannerFuzz implements FuzzTarget {
  private static final int HEAD_BYTES = 2;
  private static final int GENERATED_SEEDS = 12;

  /** Why we refuse what protobuf-java accepts; upb refuses it too. */
  private static final List<String> STRICTER =
      List.of(
          "is too large (expected at most 32 bits in 5 bytes)", "varint is longer than 10 bytes");

  private final RequestScanner scanner = new RequestScanner();
  private final TraceSampler sampler = new TraceSampler(30, true, Duration.ofSeconds(2));

  @Override
  public List<byte[]> seeds() throws Exception {
    List<byte[]> seeds = new ArrayList<>();
    for (RequestScannerVectorsTest.Vector vector : RequestScannerVectorsTest.requests()) {
      Signal signal = vector.kind().equals("trace") ? Signal.TRACES : Signal.METRICS;
      seeds.add(seed(signal, 2, HexFormat.of().parseHex(vector.hex())));
    }
    WireGenerator generator = new WireGenerator(new Random(1));
    for (Signal signal : Signal.values()) {
      for (int i = 0; i < GENERATED_SEEDS; i++) {
        seeds.add(seed(signal, 3 * i, generator.request(signal)));
      }
    }
    return seeds;
  }

  private static byte[] seed(Signal signal, int size, byte[] request) {
    byte[] seed = new byte[HEAD_BYTES + request.length];
    seed[0] = (byte) signal.ordinal();
    seed[1] = (byte) size;
    System.arraycopy(request, 0, seed, HEAD_BYTES, request.length);
    return seed;
  }

  @Override
  public void check(byte[] input) throws Exception {
    if (input.length < HEAD_BYTES) {
      return;
    }
    Signal signal = Signal.values()[(input[0] & 0xff) % Signal.values().length];
    int partBytes = (input[1] & 0xff) * 8;
    byte[] request = Arrays.copyOfRange(input, HEAD_BYTES, input.length);
    inspect(signal, request);
    String refusal = Requests.refusal(scanner, signal, request);
    Message decoded = Requests.parseOrNull(signal, request);
    if (refusal != null) {
      require(
          decoded == null || STRICTER.stream().anyMatch(refusal::contains),
          "refused what protobuf-java reads: " + refusal);
      return;
    }
    require(isRead(signal, decoded), "accepted what protobuf-java refuses");
    if (decoded == null) {
      return;
    }
    int items = scanner.items();
    require(items == items(signal, request, decoded), "counted " + items + " items");
    require(items == sumOfResources(), "the resources hold other than " + items + " items");
    split(signal, request, decoded, items, partBytes);
    if (signal == Signal.TRACES) {
      sample(request, items);
    }
  }

  /** The way of the gate: the filter leaves no flaw in what could be read, and loses no item. */
  private void inspect(Signal signal, byte[] request) throws Exception {
    Slice slice = Requests.surrounded(request);
    try {
      scanner.inspect(signal, slice);
    } catch (MalformedRequestException e) {
      require(
          Requests.parseOrNull(signal, request) == null || isStricter(e),
          "refused: " + e.getMessage());
      return;
    }
    int items = scanner.items();
    Filtered filtered = ItemFilter.filter(signal, slice);
    int invalid = filtered.invalid().values().stream().mapToInt(Integer::intValue).sum();
    require(filtered.kept() + invalid == items, "the filter lost items");
    byte[] kept = filtered.request().toByteArray();
    require(Requests.refusal(scanner, signal, kept) == null, "the filter left what is malformed");
    require(scanner.flaw() == null, "the filter left a flaw");
    require(scanner.items() == filtered.kept(), "the filter kept other items than it says");
    require(
        isRead(signal, Requests.parseOrNull(signal, kept)),
        "the filter left what protobuf-java refuses");
  }

  private static boolean isStricter(MalformedRequestException e) {
    return STRICTER.stream().anyMatch(e.getMessage()::contains);
  }

  private void split(Signal signal, byte[] request, Message decoded, int items, int partBytes)
      throws Exception {
    List<Part> parts;
    try {
      parts = RequestSplitter.split(signal, Requests.surrounded(request), partBytes);
    } catch (PayloadTooLargeException e) {
      return;
    }
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    int sum = 0;
    for (Part part : parts) {
      byte[] bytes = part.request().toByteArray();
      require(bytes.length <= partBytes, "a part of " + bytes.length + " bytes");
      require(Requests.refusal(scanner, signal, bytes) == null, "a part is malformed");
      require(scanner.items() == part.items(), "a part holds other items than it says");
      sum += part.items();
      joined.writeBytes(bytes);
    }
    require(sum == items, "the parts hold " + sum + " of " + items + " items");
    if (signal.concatenates() && parts.size() > 1 && !isOddMetric(signal, decoded, items)) {
      require(
          FlatRequest.of(Requests.parse(signal, joined.toByteArray()))
              .equals(FlatRequest.of(decoded)),
          "the parts hold other things than the request");
    }
  }

  /** Where a member of a oneof comes back, protobuf-java's reading is not that of the text. */
  private static boolean isOddMetric(Signal signal, Message decoded, int items) {
    return signal == Signal.METRICS && Requests.items(decoded) != items;
  }

  private void sample(byte[] request, int items) throws Exception {
    Sampled sampled = sampler.sample(Requests.surrounded(request));
    byte[] kept = sampled.request().toByteArray();
    require(sampled.kept() + sampled.sampledOut() == items, "sampling lost items");
    require(
        Requests.refusal(scanner, Signal.TRACES, kept) == null, "what sampling left is malformed");
    require(scanner.items() == sampled.kept(), "sampling kept other items than it says");
    require(
        Requests.items(ExportTraceServiceRequest.parseFrom(kept)) == sampled.kept(),
        "protobuf-java sees other items after sampling");
  }

  private static int items(Signal signal, byte[] request, Message decoded) throws Exception {
    return signal == Signal.METRICS ? Requests.pointsByOneofRule(request) : Requests.items(decoded);
  }

  private int sumOfResources() {
    int sum = 0;
    for (int i = 0; i < scanner.resources(); i++) {
      sum += scanner.items(i);
    }
    return sum;
  }

  /** Profiles are checked one level deep, as their schema changes. */
  private static boolean isRead(Signal signal, Message decoded) {
    return decoded != null || !signal.isStable();
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
