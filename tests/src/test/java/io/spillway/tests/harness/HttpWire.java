package io.spillway.tests.harness;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Set;
import java.util.function.Supplier;

/** A sender of OTLP/HTTP in protobuf. */
public final class HttpWire implements Wire {

  /** OTLP §Failures. */
  private static final Set<Integer> RETRYABLE = Set.of(429, 502, 503, 504);

  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(30))
          .build();
  private final Supplier<String> authority;
  private final Encoding encoding;
  private final String token;

  /**
   * Prepares a wire; nothing is dialled.
   *
   * @param authority host and port, asked for before each request
   */
  public HttpWire(Supplier<String> authority, Encoding encoding) {
    this(authority, encoding, encoding.token());
  }

  private HttpWire(Supplier<String> authority, Encoding encoding, String token) {
    this.authority = authority;
    this.encoding = encoding;
    this.token = token;
  }

  /** A wire that says gzip and sends bodies as they are: for bodies that are bombs or broken. */
  public static HttpWire sayingGzip(Supplier<String> authority) {
    return new HttpWire(authority, Encoding.IDENTITY, Encoding.GZIP.token());
  }

  @Override
  public Reply send(Kind kind, byte[] request) {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(URI.create("http://" + authority.get() + kind.httpPath()))
            .timeout(Duration.ofSeconds(60))
            .header("Content-Type", "application/x-protobuf")
            .POST(HttpRequest.BodyPublishers.ofByteArray(encoding.compress(request)));
    if (!token.equals(Encoding.IDENTITY.token())) {
      builder.header("Content-Encoding", token);
    }
    try {
      return reply(client.send(builder.build(), HttpResponse.BodyHandlers.ofByteArray()));
    } catch (IOException e) {
      return new Reply(false, true, e.toString(), null, ByteString.EMPTY);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Reply(false, false, "interrupted", null, ByteString.EMPTY);
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
  }

  private static Reply reply(HttpResponse<byte[]> response) {
    int status = response.statusCode();
    Duration retryAfter =
        response
            .headers()
            .firstValue("Retry-After")
            .map(seconds -> Duration.ofSeconds(Long.parseLong(seconds)))
            .orElse(null);
    return new Reply(
        status == 200 && response.body().length == 0,
        RETRYABLE.contains(status),
        Integer.toString(status),
        retryAfter,
        ByteString.copyFrom(response.body()));
  }
}
