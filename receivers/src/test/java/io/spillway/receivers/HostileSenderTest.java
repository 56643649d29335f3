package io.spillway.receivers;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.wire.RequestScanner;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Requests that are made to kill a thread, over real sockets and all protocols: each gets an
 * answer, and good requests on the same server are answered afterwards, whichever of its threads
 * has them.
 */
@Timeout(120)
class HostileSenderTest {
  private static final int LEVELS = 200_000;
  private static final int LIMIT = 16 << 20;
  private static final int SPANS = 200;
  private static final int CONNECTIONS = 8;
  private static final String PROTOBUF = "application/x-protobuf";
  private static final String JSON = "application/json";

  @RegisterExtension
  final ReceiverHarness harness =
      new ReceiverHarness(
          new OtlpReceiverConfig(
              new OtlpReceiverConfig.Grpc(new Endpoint("127.0.0.1", 0), LIMIT),
              new OtlpReceiverConfig.Http(new Endpoint("127.0.0.1", 0), LIMIT)),
          ReceiverHarness.ADMISSION_BYTES);

  @BeforeEach
  void scan() {
    harness.gate().onSubmit(each -> each.answer().accept(scanned(each)));
  }

  @AfterEach
  void goodRequestsAreAnswered() throws IOException {
    byte[] good = Payloads.traces(SPANS);
    for (int i = 0; i < CONNECTIONS; i++) {
      try (RawGrpc grpc = harness.rawGrpc();
          RawHttp http = harness.http();
          RawHttp2 http2 = new RawHttp2(harness.receiver().httpAddress())) {
        assertThat(grpc.export(good).code()).isZero();
        assertThat(http.postProtobuf(good).read().status()).isEqualTo(200);
        assertThat(http2.postTraces(1).body(1, good).read(1).status()).isEqualTo(200);
      }
    }
  }

  private static Answer scanned(ScriptedGate.Submission submission) {
    RequestScanner scanner = new RequestScanner();
    try {
      scanner.scan(submission.signal(), submission.request());
      return new Answer.Accepted(scanner.items());
    } catch (MalformedRequestException e) {
      return new Answer.Invalid(e.getMessage());
    }
  }

  static Stream<Hostile> protobuf() {
    return Stream.of(
        new Hostile("lists in lists", nested(0x2a)),
        new Hostile("maps in maps", nested(0x32)),
        new Hostile("groups that end", groups(true)),
        new Hostile("groups without an end", groups(false)),
        new Hostile("a varint of 11 bytes", varint(0x98, 6)),
        new Hostile("a length of 11 bytes", varint(0x0a)),
        new Hostile("a tag of 11 bytes", varint()));
  }

  // conformance: W-39, W-46
  @ParameterizedTest
  @MethodSource("protobuf")
  void hostile_protobufOverGrpc_invalidArgument(Hostile hostile) throws IOException {
    try (RawGrpc grpc = harness.rawGrpc()) {
      assertThat(grpc.export(hostile.bytes()).code()).isEqualTo(3);
      assertThat(grpc.export(Payloads.traces(1)).code()).isZero();
    }
  }

  // conformance: W-39, W-46
  @ParameterizedTest
  @MethodSource("protobuf")
  void hostile_protobufOverHttp_400(Hostile hostile) throws IOException {
    assertRefused(PROTOBUF, hostile.bytes());
  }

  static Stream<Hostile> json() {
    return Stream.of(
        new Hostile("lists in lists", json("{\"arrayValue\":{\"values\":[", "]}}")),
        new Hostile("maps in maps", json("{\"kvlistValue\":{\"values\":[{\"value\":", "}]}}")),
        new Hostile("lists under an unknown key", bytes("{\"x\":" + "[".repeat(LEVELS))),
        new Hostile("objects under an unknown key", bytes("{\"x\":".repeat(LEVELS))));
  }

  // conformance: J-19
  @ParameterizedTest
  @MethodSource("json")
  void hostile_json_400(Hostile hostile) throws IOException {
    assertRefused(JSON, hostile.bytes());
  }

  // conformance: G-05
  @Test
  void hostile_dataFramesOfOneByteOverGrpc_ok() throws IOException {
    byte[] message = RawGrpc.message(false, Payloads.traces(SPANS));
    try (RawGrpc grpc = harness.rawGrpc()) {
      assertThat(grpc.open().data(message, 1, true).join().code()).isZero();
    }
  }

  // conformance: H-20
  @Test
  void hostile_dataFramesOfOneByteOverHttp2_200() throws IOException {
    byte[] body = Payloads.traces(SPANS);
    try (RawHttp2 client = new RawHttp2(harness.receiver().httpAddress())) {
      client.postTraces(1);
      for (int i = 0; i < body.length; i++) {
        client.data(1, new byte[] {body[i]}, i == body.length - 1);
      }
      assertThat(client.read(1).status()).isEqualTo(200);
    }
  }

  // conformance: H-20
  @Test
  void hostile_chunksOfOneByteOverHttp11_200() throws IOException {
    byte[] body = Payloads.traces(SPANS);
    try (RawHttp client = harness.http()) {
      client.send(
          "POST /v1/traces HTTP/1.1\r\nHost: relay\r\nTransfer-Encoding: chunked\r\nContent-Type: "
              + PROTOBUF
              + "\r\n\r\n");
      for (byte b : body) {
        client.chunk(new byte[] {b});
      }
      assertThat(client.send("0\r\n\r\n").read().status()).isEqualTo(200);
    }
  }

  private void assertRefused(String contentType, byte[] body) throws IOException {
    try (RawHttp client = harness.http();
        RawHttp2 client2 = new RawHttp2(harness.receiver().httpAddress())) {
      String header = "Content-Type: " + contentType + "\r\n";
      assertThat(client.post("/v1/traces", header, body).read().status()).isEqualTo(400);
      assertThat(client.postProtobuf(Payloads.traces(1)).read().status()).isEqualTo(200);

      client2.post(1, "/v1/traces", "content-type", contentType).body(1, body);
      assertThat(client2.read(1).status()).isEqualTo(400);
      assertThat(client2.postTraces(3).body(3, Payloads.traces(1)).read(3).status()).isEqualTo(200);
    }
  }

  /**
   * An attribute of a resource whose value is a value in a value.
   *
   * @param kind tag of the list or map within a value; both have their elements in field 1
   */
  private static byte[] nested(int kind) {
    Backwards out = new Backwards();
    for (int i = 0; i < LEVELS; i++) {
      if (kind == 0x32) {
        out.wrap(0x12); // KeyValue.value
      }
      out.wrap(0x0a);
      out.wrap(kind);
    }
    out.wrap(0x12); // KeyValue.value
    out.wrap(0x0a); // Resource.attributes
    out.wrap(0x0a); // ResourceSpans.resource
    out.wrap(0x0a);
    return out.toByteArray();
  }

  private static byte[] groups(boolean ended) {
    byte[] groups = new byte[ended ? 2 * LEVELS : LEVELS];
    Arrays.fill(groups, 0, LEVELS, (byte) (5 << 3 | 3));
    Arrays.fill(groups, LEVELS, groups.length, (byte) (5 << 3 | 4));
    return groups;
  }

  /** A varint of eleven bytes, behind a tag. */
  private static byte[] varint(int... tag) {
    byte[] bytes = new byte[tag.length + 11];
    for (int i = 0; i < tag.length; i++) {
      bytes[i] = (byte) tag[i];
    }
    Arrays.fill(bytes, tag.length, bytes.length - 1, (byte) 0x80);
    bytes[bytes.length - 1] = 1;
    return bytes;
  }

  private static byte[] json(String open, String close) {
    return bytes(
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"k\",\"value\":"
            + open.repeat(LEVELS)
            + "{}"
            + close.repeat(LEVELS)
            + "}]}}]}");
  }

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  /** What a sender sends; the name is what a failed test is called. */
  record Hostile(String name, Slice body) {
    Hostile(String name, byte[] body) {
      this(name, Slice.of(body));
    }

    byte[] bytes() {
      return body.array();
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** Writes messages from the innermost outwards, so that their lengths are known. */
  private static final class Backwards {
    private final byte[] bytes = new byte[LIMIT];
    private int start = LIMIT;

    void wrap(int tag) {
      int length = LIMIT - start;
      int size = Math.max(1, (38 - Integer.numberOfLeadingZeros(length)) / 7);
      start -= size;
      for (int i = 0; i < size; i++) {
        bytes[start + i] = (byte) (length >> 7 * i & 0x7f | (i < size - 1 ? 0x80 : 0));
      }
      bytes[--start] = (byte) tag;
    }

    byte[] toByteArray() {
      return Arrays.copyOfRange(bytes, start, LIMIT);
    }
  }
}
