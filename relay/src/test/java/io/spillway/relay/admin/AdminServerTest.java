package io.spillway.relay.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class AdminServerTest {

  private boolean ready = true;
  private final List<String> asked = new ArrayList<>();

  /** Knows route payments and exporter otlp_grpc/primary; takes down what it is asked for. */
  private final AdminSteering steering =
      new AdminSteering() {
        private Reply reply(String what, String name, Wish wish) throws IOException {
          asked.add(what + " " + name + " " + wish);
          return switch (name) {
            case "payments", "otlp_grpc/primary" -> new Done(Map.of("done", what));
            case "refused" -> new Refused("not this one");
            case "broken" -> throw new IOException("the disk is gone");
            default -> new Unknown("there is no " + name);
          };
        }

        @Override
        public Reply pin(String route, String exporter, Wish wish) throws IOException {
          return reply("pin " + exporter, route, wish);
        }

        @Override
        public Reply release(String route, Wish wish) throws IOException {
          return reply("release", route, wish);
        }

        @Override
        public Reply pause(String exporter, Wish wish) throws IOException {
          return reply("pause", exporter, wish);
        }

        @Override
        public Reply resume(String exporter, Wish wish) throws IOException {
          return reply("resume", exporter, wish);
        }
      };

  private final AdminView view =
      new AdminView() {
        @Override
        public boolean ready() {
          return ready;
        }

        @Override
        public String metrics() {
          return "spillway_x 1\n";
        }

        @Override
        public Map<String, Object> status() {
          throw new IllegalStateException("broken on purpose");
        }

        @Override
        public Map<String, Object> ledger() {
          return Map.of("unaccounted", 0);
        }

        @Override
        public AdminSteering steering() {
          return steering;
        }

        @Override
        public OptionalLong drop(String lane) throws IOException {
          if (lane.equals("broken/logs")) {
            throw new IOException("the disk is gone");
          }
          return lane.equals("default/traces") ? OptionalLong.of(7) : OptionalLong.empty();
        }
      };

  @Test
  void get_knownPaths_answers() throws Exception {
    try (AdminServer server = new AdminServer(new AdminConfig("127.0.0.1", 0, null), view)) {
      assertThat(get(server, "/livez", null).statusCode()).isEqualTo(200);
      assertThat(get(server, "/readyz", null).statusCode()).isEqualTo(200);
      assertThat(get(server, "/metrics", null).body()).isEqualTo("spillway_x 1\n");
      assertThat(get(server, "/api/v1/ledger", null).body()).isEqualTo("{\"unaccounted\":0}");
      assertThat(get(server, "/api/v1/ledgers", null).statusCode()).isEqualTo(404);
    }
  }

  @Test
  void get_notReady_readyzSays503() throws Exception {
    ready = false;
    try (AdminServer server = new AdminServer(new AdminConfig("127.0.0.1", 0, null), view)) {
      assertThat(get(server, "/readyz", null).statusCode()).isEqualTo(503);
      assertThat(get(server, "/livez", null).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void get_viewThrows_answers500AndLivesOn() throws Exception {
    try (AdminServer server = new AdminServer(new AdminConfig("127.0.0.1", 0, null), view)) {
      assertThat(get(server, "/api/v1/status", null).statusCode()).isEqualTo(500);
      assertThat(get(server, "/livez", null).statusCode()).isEqualTo(200);
    }
  }

  @Test
  void get_withToken_asksForItExceptOnHealth() throws Exception {
    try (AdminServer server = new AdminServer(new AdminConfig("127.0.0.1", 0, "secret"), view)) {
      assertThat(get(server, "/livez", null).statusCode()).isEqualTo(200);
      assertThat(get(server, "/metrics", null).statusCode()).isEqualTo(401);
      assertThat(get(server, "/metrics", "Bearer wrong").statusCode()).isEqualTo(401);
      assertThat(get(server, "/metrics", "Bearer secret").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void post_drop_isDoneForThisOriginOnly() throws Exception {
    try (AdminServer server = new AdminServer(new AdminConfig("127.0.0.1", 0, null), view)) {
      String own = "http://127.0.0.1:" + server.address().getPort();

      assertThat(drop(server, "default/traces", own).body())
          .isIn(
              "{\"lane\":\"default/traces\",\"dropped\":7}",
              "{\"dropped\":7,\"lane\":\"default/traces\"}");
      assertThat(drop(server, "default/traces", "http://elsewhere.example").statusCode())
          .isEqualTo(403);
      assertThat(drop(server, "default/spans", own).statusCode()).isEqualTo(404);
      assertThat(drop(server, "broken/logs", own).body())
          .isEqualTo("not dropped: the disk is gone\n");
      assertThat(get(server, "/api/v1/lanes/default/traces/drop", null).statusCode())
          .isEqualTo(405);
    }
  }

  @Test
  void post_steering_isHandedOn() throws Exception {
    try (AdminServer server = new AdminServer(new AdminConfig("127.0.0.1", 0, null), view)) {
      assertThat(
              post(
                      server,
                      "/api/v1/routes/payments/pin?exporter=otlp_grpc/primary&reason=a%20b%0ac"
                          + "&for=1h30m&by=ann",
                      null)
                  .body())
          .isEqualTo("{\"done\":\"pin otlp_grpc/primary\"}");
      assertThat(post(server, "/api/v1/exporters/otlp_grpc/primary/pause", null).statusCode())
          .isEqualTo(200);
      assertThat(post(server, "/api/v1/exporters/otlp_grpc%2Fprimary/resume", null).statusCode())
          .isEqualTo(200);
      assertThat(post(server, "/api/v1/routes/payments/release", null).statusCode()).isEqualTo(200);
    }
    assertThat(asked)
        .containsExactly(
            "pin otlp_grpc/primary payments Wish[who=ann, reason=a b c, lasts=PT1H30M]",
            "pause otlp_grpc/primary Wish[who=127.0.0.1, reason=, lasts=null]",
            "resume otlp_grpc/primary Wish[who=127.0.0.1, reason=, lasts=null]",
            "release payments Wish[who=127.0.0.1, reason=, lasts=null]");
  }

  @Test
  void post_steeringThatCannotBe_saysWhy() throws Exception {
    try (AdminServer server = new AdminServer(new AdminConfig("127.0.0.1", 0, null), view)) {
      String pin = "/api/v1/routes/payments/pin?exporter=otlp_grpc/primary";

      assertThat(post(server, pin, "http://elsewhere.example").statusCode()).isEqualTo(403);
      assertThat(get(server, pin, null).statusCode()).isEqualTo(405);
      assertThat(post(server, "/api/v1/routes/payments/pin", null).statusCode()).isEqualTo(400);
      assertThat(post(server, "/api/v1/routes/pin?exporter=x", null).statusCode()).isEqualTo(400);
      assertThat(post(server, "/api/v1/routes/payments/stop", null).statusCode()).isEqualTo(404);
      assertThat(post(server, pin + "&for=soon", null).body())
          .isEqualTo(
              "for: \"soon\" (expected a duration such as 10s or 1h30m; units ms, s, m, h, d;"
                  + " above 0, at most 365d)\n");
      assertThat(post(server, pin + "&until=x", null).body())
          .isEqualTo("\"until\" is no parameter (expected exporter, reason, for or by)\n");
      assertThat(asked).isEmpty();
      assertThat(post(server, "/api/v1/exporters/nobody/pause", null))
          .returns(404, HttpResponse::statusCode)
          .returns("there is no nobody\n", HttpResponse::body);
      assertThat(post(server, "/api/v1/exporters/refused/pause", null))
          .returns(409, HttpResponse::statusCode)
          .returns("not this one\n", HttpResponse::body);
      assertThat(post(server, "/api/v1/exporters/broken/pause", null))
          .returns(503, HttpResponse::statusCode)
          .returns("nothing was changed: the disk is gone\n", HttpResponse::body);
    }
  }

  @Test
  void new_portTaken_saysWhereAndWhatToDo() throws Exception {
    try (AdminServer server = new AdminServer(new AdminConfig("127.0.0.1", 0, null), view)) {
      int port = server.address().getPort();

      assertThatThrownBy(
              () -> new AdminServer(new AdminConfig("127.0.0.1", port, null), view).close())
          .isInstanceOf(IOException.class)
          .hasMessage(
              "admin::endpoint: cannot listen on 127.0.0.1:%d: Address already in use. Choose"
                  + " another port, or 0 for a free one.",
              port);
    }
  }

  private static HttpResponse<String> drop(AdminServer server, String lane, String origin)
      throws Exception {
    return post(server, "/api/v1/lanes/" + lane + "/drop", origin);
  }

  private static HttpResponse<String> post(AdminServer server, String path, @Nullable String origin)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.address().getPort() + path))
            .POST(HttpRequest.BodyPublishers.noBody());
    if (origin != null) {
      request.header("Origin", origin);
    }
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
  }

  private static HttpResponse<String> get(
      AdminServer server, String path, @Nullable String authorization) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.address().getPort() + path));
    if (authorization != null) {
      request.header("Authorization", authorization);
    }
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
  }
}
