package io.spillway.exporters;

import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.WireBytes;
import io.spillway.otlp.tls.TlsConfigException;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Fetches tokens by the client credentials grant (RFC 6749 §4.4), over connections that the egress
 * policy has seen. Redirects are not followed.
 *
 * <p>A client proves itself in the header, as the RFC wants; if the server refuses that, in the
 * body, and from then on in whichever way worked.
 */
final class TokenEndpoint {
  /** Tokens are fetched one at a time. */
  private static final int MAX_CONNECTIONS = 1;

  private final OAuthConfig config;
  private final HttpConnections place;
  private final Executor reader;
  private final String userAgent;
  private final String name;
  private volatile boolean inBody;
  private volatile boolean styleKnown;

  /**
   * @param reader runs what blocks
   */
  TokenEndpoint(
      OAuthConfig config,
      Dialer dialer,
      SinkTls tls,
      EventLoop loop,
      Executor reader,
      String userAgent)
      throws TlsConfigException {
    this.config = config;
    this.reader = reader;
    this.userAgent = userAgent;
    Endpoint endpoint = config.tokenUrl();
    this.name = endpoint.authority();
    String override = config.tls().serverName();
    this.place =
        new HttpConnections(
            endpoint,
            endpoint.plaintext() ? null : tls.toTokenEndpoint(config.tls()),
            override == null ? endpoint.host() : override,
            loop,
            dialer,
            config.timeout(),
            MAX_CONNECTIONS);
  }

  /** Fails with a {@link TokenException} and nothing else. */
  CompletableFuture<Token> fetch() {
    CompletableFuture<Token> result = new CompletableFuture<>();
    try {
      reader.execute(() -> begin(result));
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(TokenException.unreachable(name, Failures.outcome(e)));
    }
    return result;
  }

  private void begin(CompletableFuture<Token> result) {
    Client client;
    try {
      client = new Client(config.clientId().read(), config.clientSecret().read());
    } catch (IOException e) {
      result.completeExceptionally(
          new TokenException(ErrorClass.AUTH, "no token from " + name + ": " + e.getMessage()));
      return;
    }
    new Attempt(client, inBody, result).begin();
  }

  /** Safe to call twice. */
  void close() {
    if (!place.loop().isShuttingDown()) {
      place.loop().execute(place::close);
    }
  }

  private record Client(String id, String secret) {
    Headers secrets() {
      return new Headers(Map.of(), List.of(secret));
    }

    /** RFC 6749 §2.3.1: both are form-encoded before they are joined. */
    String basic() {
      byte[] both = (encode(id) + ":" + encode(secret)).getBytes(StandardCharsets.UTF_8);
      return "Basic " + Base64.getEncoder().encodeToString(both);
    }

    @Override
    public String toString() {
      return "Client[REDACTED]";
    }
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private FullHttpRequest message(Client client, boolean secretInBody) {
    Endpoint endpoint = config.tokenUrl();
    byte[] form = form(client, secretInBody).getBytes(StandardCharsets.UTF_8);
    FullHttpRequest message =
        new DefaultFullHttpRequest(
            HttpVersion.HTTP_1_1, HttpMethod.POST, endpoint.path(), Unpooled.wrappedBuffer(form));
    message
        .headers()
        .set(HttpHeaderNames.HOST, HttpMessages.host(endpoint))
        .set(HttpHeaderNames.USER_AGENT, userAgent)
        .set(HttpHeaderNames.ACCEPT, "application/json")
        .set(HttpHeaderNames.CONTENT_TYPE, "application/x-www-form-urlencoded")
        .set(HttpHeaderNames.CONTENT_LENGTH, form.length);
    if (!secretInBody) {
      message.headers().set(HttpHeaderNames.AUTHORIZATION, client.basic());
    }
    return message;
  }

  private String form(Client client, boolean secretInBody) {
    Map<String, String> fields = new LinkedHashMap<>(config.endpointParams());
    fields.put("grant_type", "client_credentials");
    if (!config.scopes().isEmpty()) {
      fields.put("scope", String.join(" ", config.scopes()));
    }
    if (secretInBody) {
      fields.put("client_id", client.id());
      fields.put("client_secret", client.secret());
    }
    return fields.entrySet().stream()
        .map(field -> encode(field.getKey()) + "=" + encode(field.getValue()))
        .collect(Collectors.joining("&"));
  }

  /** One request for a token. Lives on the event loop of its connection. */
  private final class Attempt implements HttpConnections.Seeker, HttpConnection.Exchange {
    private final Client client;
    private final boolean secretInBody;
    private final CompletableFuture<Token> result;
    private final CompletableFuture<Outcome> end = new CompletableFuture<>();
    private final WireBytes bytes = new WireBytes();
    private @Nullable Runnable cancelDial;
    private @Nullable HttpConnection connection;

    Attempt(Client client, boolean secretInBody, CompletableFuture<Token> result) {
      this.client = client;
      this.secretInBody = secretInBody;
      this.result = result;
    }

    void begin() {
      try {
        Future<?> clock =
            place.loop().schedule(this::timedOut, config.timeout().toNanos(), TimeUnit.NANOSECONDS);
        var _ = end.whenComplete((outcome, e) -> clock.cancel(false));
        place.loop().execute(() -> place.seek(this));
      } catch (RejectedExecutionException e) {
        fail(Failures.outcome(e));
      }
    }

    private void timedOut() {
      fail(
          new Outcome.Retry(
              null, ErrorClass.TIMEOUT, "no answer within " + config.timeout().toMillis() + " ms"));
      place.forget(this);
      if (cancelDial != null) {
        cancelDial.run();
      }
      if (connection != null) {
        connection.close();
      }
    }

    private void fail(Outcome outcome) {
      if (end.complete(outcome)) {
        result.completeExceptionally(TokenException.unreachable(name, outcome));
      }
    }

    @Override
    public WireBytes wireBytes() {
      return bytes;
    }

    @Override
    public void dialling(Runnable cancel) {
      cancelDial = cancel;
    }

    @Override
    public void found(HttpConnection found) {
      cancelDial = null;
      if (end.isDone()) {
        place.reusable(found);
        return;
      }
      connection = found;
      found.send(message(client, secretInBody), bytes, this);
    }

    @Override
    public void notFound(Throwable failure) {
      cancelDial = null;
      fail(Failures.outcome(failure));
    }

    @Override
    public void lost(Throwable failure) {
      connection = null;
      fail(
          failure instanceof NotHttpException
              ? new Outcome.SinkDown(ErrorClass.CONNECT, "the answer is not HTTP")
              : Failures.outcome(failure));
    }

    @Override
    public void answered(HttpAnswer answer) {
      connection = null;
      if (!end.complete(new Outcome.Delivered())) {
        return;
      }
      if (answer.isRedirect()) {
        place.redirectRefused(answer.headers().get(HttpHeaderNames.LOCATION, ""));
      }
      int code = answer.status().code();
      if (!styleKnown && !secretInBody && (code == 400 || code == 401)) {
        new Attempt(client, true, result).begin();
        return;
      }
      try {
        Token token = TokenAnswer.read(answer, name, client.secrets());
        inBody = secretInBody;
        styleKnown = true;
        result.complete(token);
      } catch (TokenException e) {
        result.completeExceptionally(e);
      }
    }
  }
}
