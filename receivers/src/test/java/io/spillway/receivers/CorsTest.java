package io.spillway.receivers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.otlp.stage.Answer;
import io.spillway.receivers.RawHttp.Response;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What browsers are told about scripts that send. */
@Timeout(60)
class CorsTest {
  private static final String JSON = "Content-Type: application/json\r\n";
  private static final String ASKING = "Access-Control-Request-Method: POST\r\n";
  private static final String ALLOWED = "https://app.Example";
  private static final Cors CORS =
      new Cors(
          List.of("https://*.example", "https://app.example"),
          List.of("x-tenant"),
          List.of("retry-after"),
          7200);

  @RegisterExtension final ReceiverHarness harness = new ReceiverHarness(CORS);
  @RegisterExtension final ReceiverHarness closed = new ReceiverHarness();

  @RegisterExtension
  final ReceiverHarness open =
      new ReceiverHarness(new Cors(List.of("*"), List.of("*"), List.of(), 0));

  // conformance: H-60
  @ParameterizedTest
  @ValueSource(strings = {ALLOWED, "https://eu.app.example"})
  void h60_preflightOfAllowedOrigin_204NamesItAndWhatItMay(String origin) throws IOException {
    try (RawHttp client = harness.http()) {
      Response response = preflight(client, origin, ASKING);

      assertThat(response.status()).isEqualTo(204);
      assertThat(response.body()).isEmpty();
      assertThat(response.header("access-control-allow-origin")).isEqualTo(origin);
      assertThat(response.header("access-control-allow-credentials")).isEqualTo("true");
      assertThat(response.header("access-control-allow-methods")).isEqualTo("POST");
      assertThat(response.header("access-control-allow-headers"))
          .isEqualTo("content-type, content-encoding, x-tenant");
      assertThat(response.header("access-control-max-age")).isEqualTo("7200");
      assertThat(response.header("vary"))
          .isEqualTo("access-control-request-method,access-control-request-headers,origin");
      assertThat(client.postProtobuf(new byte[0]).read().status()).isEqualTo(200);
    }
    assertThat(harness.listener().all()).hasSize(1);
  }

  // conformance: H-60
  @ParameterizedTest
  @ValueSource(
      strings = {"http://app.example", "https://example", "https://a.example.evil", "null"})
  void h60_preflightOfOtherOrigin_allowsNothing(String origin) throws IOException {
    try (RawHttp client = harness.http()) {
      Response response = preflight(client, origin, ASKING);

      assertThat(response.status()).isEqualTo(204);
      assertThat(response.header("access-control-allow-origin")).isNull();
      assertThat(response.header("access-control-allow-methods")).isNull();
      assertThat(response.header("vary")).endsWith("origin");
    }
  }

  // conformance: H-60
  @Test
  void h60_notConfigured_noCors() throws IOException {
    try (RawHttp client = closed.http()) {
      assertThat(preflight(client, ALLOWED, ASKING).status()).isEqualTo(405);

      Response response =
          client.post("/v1/traces", JSON + "Origin: " + ALLOWED + "\r\n", bytes("{}")).read();
      assertThat(response.status()).isEqualTo(200);
      assertThat(response.header("access-control-allow-origin")).isNull();
      assertThat(response.header("vary")).isNull();
    }
  }

  // conformance: H-60
  @Test
  void h60_anyOrigin_isAllowedWithoutCredentials() throws IOException {
    try (RawHttp client = open.http()) {
      Response response =
          preflight(client, ALLOWED, ASKING + "Access-Control-Request-Headers: x-a, x-b\r\n");

      assertThat(response.header("access-control-allow-origin")).isEqualTo("*");
      assertThat(response.header("access-control-allow-credentials")).isNull();
      assertThat(response.header("access-control-allow-headers")).isEqualTo("x-a, x-b");
      assertThat(response.header("access-control-max-age")).isNull();
    }
  }

  // conformance: H-04, H-60
  @Test
  void h60_optionsThatIsNoPreflight_405() throws IOException {
    try (RawHttp client = harness.http()) {
      assertThat(preflight(client, ALLOWED, "").status()).isEqualTo(405);
    }
  }

  // conformance: H-05, H-60
  @Test
  void h60_preflightOfUnknownPath_404() throws IOException {
    try (RawHttp client = harness.http()) {
      client.send(
          "OPTIONS /v1/x HTTP/1.1\r\nHost: relay\r\nOrigin: " + ALLOWED + "\r\n" + ASKING + "\r\n");

      assertThat(client.read().status()).isEqualTo(404);
    }
  }

  // conformance: H-61
  @Test
  void h61_postOfAllowedOrigin_successAndErrorsMayBeRead() throws IOException {
    try (RawHttp client = harness.http()) {
      assertReadable(post(client, "{}"), 200);
      assertReadable(post(client, "{"), 400);
      harness.gate().answerWith(new Answer.Unavailable(1, Duration.ofSeconds(1), "full"));
      assertReadable(post(client, "{}"), 503);
      Response tooLarge = post(client, "{" + " ".repeat(ReceiverHarness.MAX_REQUEST_BYTES) + "}");
      assertReadable(tooLarge, 413);
    }
    try (RawHttp client = harness.http()) {
      client.send("GET /nothing HTTP/1.1\r\nHost: relay\r\nOrigin: " + ALLOWED + "\r\n\r\n");
      assertReadable(client.read(), 404);
    }
  }

  // conformance: H-61
  @Test
  void h61_overHttp2_successMayBeRead() throws IOException {
    try (RawHttp2 client = new RawHttp2(harness.receiver().httpAddress())) {
      client.postTraces(1, "origin", ALLOWED).body(1, new byte[0]);

      assertThat(client.read(1).header("access-control-allow-origin")).isEqualTo(ALLOWED);
      assertThat(client.read(1).header("vary")).isEqualTo("origin");
    }
  }

  /** No browser sent it. */
  @Test
  void post_withoutOrigin_isServedAndVaries() throws IOException {
    try (RawHttp client = harness.http()) {
      Response response = client.postProtobuf(new byte[0]).read();

      assertThat(response.status()).isEqualTo(200);
      assertThat(response.header("access-control-allow-origin")).isNull();
      assertThat(response.header("vary")).isEqualTo("origin");
    }
  }

  private static void assertReadable(Response response, int status) {
    assertThat(response.status()).isEqualTo(status);
    assertThat(response.header("access-control-allow-origin")).isEqualTo(ALLOWED);
    assertThat(response.header("access-control-allow-credentials")).isEqualTo("true");
    assertThat(response.header("access-control-expose-headers")).isEqualTo("retry-after");
    assertThat(response.header("vary")).isEqualTo("origin");
  }

  private static Response post(RawHttp client, String json) throws IOException {
    return client.post("/v1/traces", JSON + "Origin: " + ALLOWED + "\r\n", bytes(json)).read();
  }

  private static Response preflight(RawHttp client, String origin, String headers)
      throws IOException {
    return client
        .send(
            "OPTIONS /v1/traces HTTP/1.1\r\nHost: relay\r\nOrigin: "
                + origin
                + "\r\n"
                + headers
                + "\r\n")
        .read();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
