package io.spillway.tests;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.UnknownFieldSet;
import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.GrpcWire;
import io.spillway.tests.harness.HttpWire;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Ledger;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Wire;
import io.spillway.tests.harness.Yaml;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Requests that no sender should send: each gets the status that OTLP has for it, and the relay
 * goes on as if nothing had been.
 */
@Timeout(300)
class BadInputIT {

  private static final int LIMIT_BYTES = 1024 * 1024;
  private static final String PROTOBUF = "application/x-protobuf";
  private static final String JSON = "application/json";
  private static final Map<String, String> RESOURCE = Map.of("service.name", "bad");

  @RegisterExtension static final Lab LAB = new Lab();

  private static CapturingSink sink;
  private static RelayProcess relay;
  private static HttpClient http;
  private static GrpcWire grpc;
  private static GrpcWire sayingGzip;

  @BeforeAll
  static void start() {
    sink = LAB.sink(Protocol.HTTP);
    String config =
        Yaml.toOneSink(Yaml.anywhere(LAB.directory()), sink)
            .replaceFirst("(grpc: \\{ endpoint: \"[^\"]*\")", "$1, max_recv_msg_size_mib: 1")
            .replaceFirst("(http: \\{ endpoint: \"[^\"]*\")", "$1, max_request_body_size: 1MiB");
    relay = LAB.relay(config);
    http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    grpc = LAB.own(new GrpcWire(relay::grpc, Encoding.IDENTITY));
    sayingGzip = LAB.own(GrpcWire.sayingGzip(relay::grpc));
  }

  /** After all that was sent here, good requests are taken and the books balance. */
  @AfterAll
  static void relayIsUnharmed() {
    http.close();
    assertThat(relay.running()).isTrue();
    try (Wire overHttp = new HttpWire(relay::http, Encoding.GZIP)) {
      byte[] request = Items.request(Kind.TRACES, 1, 10, RESOURCE);
      Wire.Reply reply = overHttp.send(Kind.TRACES, request);
      assertThat(reply.acknowledged()).as(reply.status()).isTrue();
    }
    assertThat(grpc.send(Kind.LOGS, Items.request(Kind.LOGS, 1, 10, RESOURCE)).acknowledged())
        .isTrue();
    await().until(() -> sink.arrivals(Kind.TRACES) == 10 && sink.arrivals(Kind.LOGS) == 10);
    await().until(() -> relay.ledger().buffered() == 0);
    Ledger ledger = relay.ledger();
    assertThat(ledger.balanced()).as("%s", ledger).isTrue();
    assertThat(ledger.sum(Ledger.Line::routed)).isEqualTo(20);
    assertThat(sink.damaged()).isZero();
  }

  // conformance: W-40
  @ParameterizedTest
  @EnumSource(Kind.class)
  void http_garbage_isBadRequest(Kind kind) throws Exception {
    HttpResponse<byte[]> response = post(kind.httpPath(), PROTOBUF, garbage());

    assertRefused(response, 400);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void http_truncatedProtobuf_isBadRequest(Kind kind) throws Exception {
    assertRefused(post(kind.httpPath(), PROTOBUF, truncated(kind)), 400);
  }

  @ParameterizedTest
  @EnumSource(
      value = Encoding.class,
      names = {"GZIP", "ZSTD"})
  void http_truncatedCompression_isBadRequest(Encoding encoding) throws Exception {
    byte[] whole = encoding.compress(Items.request(Kind.TRACES, 1, 50, RESOURCE));
    byte[] body = Arrays.copyOf(whole, whole.length / 2);

    assertRefused(post("/v1/traces", PROTOBUF, body, "Content-Encoding", encoding.token()), 400);
  }

  @Test
  void http_gzipThatIsNone_isBadRequest() throws Exception {
    byte[] plain = Items.request(Kind.TRACES, 1, 5, RESOURCE);

    assertRefused(post("/v1/traces", PROTOBUF, plain, "Content-Encoding", "gzip"), 400);
  }

  @ParameterizedTest
  @EnumSource(
      value = Encoding.class,
      names = {"GZIP", "ZSTD"})
  void http_bomb_isTooLarge(Encoding encoding) throws Exception {
    byte[] bomb = bomb(encoding);
    assertThat(bomb.length).isLessThan(LIMIT_BYTES);

    assertRefused(post("/v1/traces", PROTOBUF, bomb, "Content-Encoding", encoding.token()), 413);
  }

  @Test
  void http_bodyOverTheLimit_isTooLarge() throws Exception {
    assertRefused(post("/v1/traces", PROTOBUF, new byte[LIMIT_BYTES + 1]), 413);
  }

  @Test
  void http_chunkedBodyOverTheLimit_isTooLarge() throws Exception {
    HttpRequest request =
        request("/v1/traces", PROTOBUF)
            .POST(
                HttpRequest.BodyPublishers.ofInputStream(
                    () -> new ByteArrayInputStream(new byte[LIMIT_BYTES + 1])))
            .build();

    assertRefused(http.send(request, HttpResponse.BodyHandlers.ofByteArray()), 413);
  }

  @Test
  void http_announcedBodyOverTheLimit_isTooLargeBeforeItIsRead() throws Exception {
    String answer = raw(head(99_999_999_999L));

    assertThat(answer).startsWith("HTTP/1.1 413 ");
  }

  @Test
  void http_bodyThatNeverEnds_leavesNoTrace() throws Exception {
    try (Socket socket = connect()) {
      socket.getOutputStream().write((head(1_000) + "\n\u0002").getBytes(ISO_8859_1));
    }
    assertThat(post("/v1/traces", PROTOBUF, new byte[0]).statusCode()).isEqualTo(200);
  }

  @Test
  void http_noHttpAtAll_isBadRequestOrClosed() throws Exception {
    String answer = raw("\u0016\u0003\u0001 this is no HTTP\r\n\r\n");

    assertThat(answer).matches("(?s)(HTTP/1\\.[01] 400 .*)?");
  }

  @ParameterizedTest
  @CsvSource({
    "/v1/traces, text/plain, 415",
    "/v1/traces, application/xml, 415",
    "/v1/traces/, application/x-protobuf, 404",
    "/v2/traces, application/x-protobuf, 404",
    "/, application/json, 404",
  })
  void http_wrongPathOrContentType_isRefused(String path, String contentType, int status)
      throws Exception {
    HttpResponse<byte[]> response =
        post(path, contentType, Items.request(Kind.TRACES, 1, 1, RESOURCE));

    if (contentType.equals(JSON)) {
      assertThat(response.statusCode()).isEqualTo(status);
      assertThat(new String(response.body(), ISO_8859_1)).startsWith("{").contains("\"message\"");
    } else {
      assertRefused(response, status);
    }
  }

  @Test
  void http_unknownEncoding_isUnsupported() throws Exception {
    HttpResponse<byte[]> response =
        post("/v1/traces", PROTOBUF, new byte[1], "Content-Encoding", "br");

    assertRefused(response, 415);
    assertThat(response.headers().firstValue("Accept-Encoding").orElse("")).contains("gzip");
  }

  @Test
  void http_get_isNotAllowed() throws Exception {
    HttpResponse<byte[]> response =
        http.send(
            request("/v1/traces", PROTOBUF).GET().build(), HttpResponse.BodyHandlers.ofByteArray());

    assertThat(response.statusCode()).isEqualTo(405);
    assertThat(response.headers().firstValue("Allow")).hasValue("POST");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{",
        "[]",
        "{\"resourceSpans\":{}}",
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"xyz\"}]}]}]}",
        "{\"resourceSpans\":[null]}",
        "{} {}",
      })
  void http_badJson_isBadRequestInJson(String json) throws Exception {
    HttpResponse<byte[]> response = post("/v1/traces", JSON, json.getBytes(US_ASCII));

    assertThat(response.statusCode()).as(json).isEqualTo(400);
    assertThat(response.headers().firstValue("Content-Type")).hasValue(JSON);
    assertThat(new String(response.body(), ISO_8859_1)).contains("\"message\"");
  }

  @Test
  void http_jsonNestedWithoutEnd_isBadRequest() throws Exception {
    String json = "{\"resourceSpans\":" + "[".repeat(200_000);

    assertThat(post("/v1/traces", JSON, json.getBytes(US_ASCII)).statusCode()).isEqualTo(400);
  }

  // conformance: G-41, G-42
  @ParameterizedTest
  @EnumSource(Kind.class)
  void grpc_garbageOrTruncated_isInvalidArgument(Kind kind) {
    assertThat(grpc.send(kind, garbage()).status()).startsWith("INVALID_ARGUMENT");
    assertThat(grpc.send(kind, truncated(kind)).status()).startsWith("INVALID_ARGUMENT");
  }

  /** 200 000 levels, and an integer of eleven bytes: an answer each, over both protocols. */
  // conformance: W-39, W-46
  @Test
  void nestedWithoutEndOrLongIntegers_areInvalid() throws Exception {
    byte[] groups = new byte[400_000];
    Arrays.fill(groups, 0, 200_000, (byte) (5 << 3 | 3));
    Arrays.fill(groups, 200_000, 400_000, (byte) (5 << 3 | 4));
    byte[] integer = new byte[13];
    Arrays.fill(integer, 2, 12, (byte) 0xff);
    integer[0] = (byte) 0x98;
    integer[1] = 6;
    integer[12] = 1;

    for (byte[] request : new byte[][] {groups, integer}) {
      assertThat(grpc.send(Kind.TRACES, request).status()).startsWith("INVALID_ARGUMENT");
      assertRefused(post("/v1/traces", PROTOBUF, request), 400);
    }
  }

  @Test
  void grpc_gzipThatIsNone_isPermanent() {
    Wire.Reply reply = sayingGzip.send(Kind.TRACES, Items.request(Kind.TRACES, 1, 5, RESOURCE));

    assertThat(reply.status()).matches("(?s)(INTERNAL|INVALID_ARGUMENT).*");
  }

  @Test
  void grpc_bombOrOversized_isResourceExhaustedForGood() {
    for (Wire.Reply reply :
        new Wire.Reply[] {
          sayingGzip.send(Kind.TRACES, bomb(Encoding.GZIP)),
          grpc.send(Kind.TRACES, new byte[LIMIT_BYTES + 1]),
        }) {
      assertThat(reply.status()).startsWith("RESOURCE_EXHAUSTED");
      assertThat(reply.retryAfter()).isNull();
      assertThat(reply.retryable()).isFalse();
    }
  }

  @Test
  void grpc_unknownServiceMethodOrEncoding_isUnimplemented() {
    String service = Kind.TRACES.grpcService();
    byte[] request = Items.request(Kind.TRACES, 1, 1, RESOURCE);

    assertThat(grpc.call(service, "Import", "identity", request).status())
        .startsWith("UNIMPLEMENTED");
    assertThat(grpc.call("no.such.Service", "Export", "identity", request).status())
        .startsWith("UNIMPLEMENTED");
    assertThat(grpc.call(service, "Export", "br", request).status()).startsWith("UNIMPLEMENTED");
  }

  @Test
  void grpc_noHttp2AtAll_isClosed() throws Exception {
    try (Socket socket = new Socket(host(relay.grpc()), port(relay.grpc()))) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(US_ASCII));

      assertThat(socket.getInputStream().readAllBytes().length).isLessThan(10_000);
    }
  }

  /** The body of every refusal is a google.rpc.Status that says why (OTLP §Failures). */
  private static void assertRefused(HttpResponse<byte[]> response, int status) throws IOException {
    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(response.headers().firstValue("Content-Type")).hasValue(PROTOBUF);
    UnknownFieldSet body = UnknownFieldSet.parseFrom(CodedInputStream.newInstance(response.body()));
    ByteString message = body.getField(2).getLengthDelimitedList().getFirst();
    assertThat(message.toStringUtf8()).isNotBlank();
  }

  private static HttpResponse<byte[]> post(
      String path, String contentType, byte[] body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder builder =
        request(path, contentType).POST(HttpRequest.BodyPublishers.ofByteArray(body));
    if (headers.length > 0) {
      builder.headers(headers);
    }
    return http.send(builder.build(), HttpResponse.BodyHandlers.ofByteArray());
  }

  private static HttpRequest.Builder request(String path, String contentType) {
    return HttpRequest.newBuilder(URI.create("http://" + relay.http() + path))
        .header("Content-Type", contentType);
  }

  /** What the relay answers to a request that no client library would send. */
  private static String raw(String request) throws IOException {
    try (Socket socket = connect()) {
      OutputStream out = socket.getOutputStream();
      out.write(request.getBytes(ISO_8859_1));
      out.flush();
      byte[] head = new byte[4096];
      int length = socket.getInputStream().read(head);
      return new String(head, 0, Math.max(0, length), ISO_8859_1);
    }
  }

  private static String head(long contentLength) {
    return String.join(
        "\r\n",
        "POST /v1/traces HTTP/1.1",
        "Host: x",
        "Content-Type: application/x-protobuf",
        "Content-Length: " + contentLength,
        "",
        "");
  }

  private static Socket connect() throws IOException {
    Socket socket = new Socket(host(relay.http()), port(relay.http()));
    socket.setSoTimeout(20_000);
    return socket;
  }

  private static String host(String authority) {
    return authority.substring(0, authority.lastIndexOf(':'));
  }

  private static int port(String authority) {
    return Integer.parseInt(authority.substring(authority.lastIndexOf(':') + 1));
  }

  private static byte[] garbage() {
    byte[] garbage = new byte[5_000];
    new Random(42).nextBytes(garbage);
    garbage[0] = 0x0a;
    return garbage;
  }

  private static byte[] truncated(Kind kind) {
    byte[] whole = Items.request(kind, 1, 20, RESOURCE);
    return Arrays.copyOf(whole, whole.length - 7);
  }

  /** 256 MiB of zeros in less than the limit. */
  private static byte[] bomb(Encoding encoding) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] zeros = new byte[LIMIT_BYTES];
    try (OutputStream out =
        encoding == Encoding.GZIP
            ? new GZIPOutputStream(bytes)
            : new com.github.luben.zstd.ZstdOutputStream(bytes)) {
      for (int i = 0; i < 256; i++) {
        out.write(zeros);
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return bytes.toByteArray();
  }
}
