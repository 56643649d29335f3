package io.spillway.relay.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class AdminServerTest {

  private boolean ready = true;

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
    URI uri =
        URI.create(
            "http://127.0.0.1:" + server.address().getPort() + "/api/v1/lanes/" + lane + "/drop");
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(uri)
              .POST(HttpRequest.BodyPublishers.noBody())
              .header("Origin", origin)
              .build(),
          HttpResponse.BodyHandlers.ofString());
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
