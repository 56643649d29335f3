package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.sun.net.httpserver.HttpServer;
import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Keep;
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
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Gzip of senders on its way through a real relay. */
@Timeout(300)
class GzipPassthroughIT {
  private static final int ITEMS = 50;
  private static final int REQUESTS = 10;

  /** Threads that send at once, and rounds until a block must have had several requests. */
  private static final int SENDERS = 16;

  private static final int MAX_ROUNDS = 50;

  @RegisterExtension final Lab lab = new Lab();

  @Test
  void auto_requestsOneAtATime_arriveBitForBit() throws Exception {
    try (BytesSink sink = new BytesSink()) {
      RelayProcess relay = lab.relay(yaml(sink.endpoint(), ""));
      List<byte[]> sent = new ArrayList<>();
      try (GrpcWire grpc = GrpcWire.sayingGzip(relay::grpc);
          HttpWire http = HttpWire.sayingGzip(relay::http)) {
        for (int i = 0; i < REQUESTS; i++) {
          byte[] member = Encoding.GZIP.compress(request(i));
          send(i % 2 == 0 ? grpc : http, member);
          sent.add(member);
          await().until(() -> sink.bodies.size() == sent.size());
        }
      }

      assertThat(sink.bodies).containsExactlyElementsOf(sent);
      assertThat(sink.encodings).containsOnly("gzip");
      assertAllDelivered(relay, REQUESTS);
    }
  }

  @Test
  void auto_severalMembersInOneRequest_arriveAsOne() throws Exception {
    try (BytesSink sink = new BytesSink()) {
      RelayProcess relay = lab.relay(yaml(sink.endpoint(), "gzip_passthrough: auto"));
      ByteArrayOutputStream members = new ByteArrayOutputStream();
      members.writeBytes(Encoding.GZIP.compress(request(0)));
      members.writeBytes(Encoding.GZIP.compress(request(1)));
      try (HttpWire http = HttpWire.sayingGzip(relay::http)) {
        send(http, members.toByteArray());
      }

      await().until(() -> sink.bodies.size() == 1);
      assertThat(isOneMember(sink.bodies.getFirst())).isTrue();
      assertThat(sink.ids()).isEqualTo(ids(2));
      assertAllDelivered(relay, 2);
    }
  }

  @Test
  void off_requests_areCompressedAnew() throws Exception {
    try (BytesSink sink = new BytesSink()) {
      RelayProcess relay = lab.relay(yaml(sink.endpoint(), "gzip_passthrough: off"));
      byte[] member = Encoding.GZIP.compress(request(0));
      try (HttpWire http = HttpWire.sayingGzip(relay::http)) {
        send(http, member);
      }

      await().until(() -> sink.bodies.size() == 1);
      assertThat(sink.bodies.getFirst()).isNotEqualTo(member);
      assertThat(sink.ids()).isEqualTo(ids(1));
      assertAllDelivered(relay, 1);
    }
  }

  @Test
  void on_manyRequestsAtOnce_arriveAsSeveralMembersAndWhole() throws Exception {
    try (BytesSink sink = new BytesSink()) {
      RelayProcess relay = lab.relay(yaml(sink.endpoint(), "gzip_passthrough: on"));

      int requests = 0;
      for (int round = 0;
          round < MAX_ROUNDS && sink.bodies.stream().allMatch(GzipPassthroughIT::isOneMember);
          round++) {
        sendAtOnce(relay, requests);
        requests += SENDERS;
        long sent = (long) requests * ITEMS;
        await().until(() -> delivered(relay) == sent);
      }

      assertThat(sink.bodies).anyMatch(body -> !isOneMember(body));
      assertThat(sink.ids()).isEqualTo(ids(requests));
      assertAllDelivered(relay, requests);
    }
  }

  @Test
  void on_manyRequestsAtOnce_areReadByAGrpcServer() throws Exception {
    CapturingSink sink = lab.sink(Protocol.GRPC, Keep.ITEM_IDS);
    RelayProcess relay = lab.relay(yaml("otlp_grpc/sink", sink.endpoint(), "gzip_passthrough: on"));

    for (int round = 0; round < 3; round++) {
      sendAtOnce(relay, round * SENDERS);
    }

    assertAllDelivered(relay, 3 * SENDERS);
    assertThat(sink.ids(Kind.TRACES)).isEqualTo(ids(3 * SENDERS));
    assertThat(sink.damaged()).isZero();
  }

  private String yaml(String endpoint, String key) {
    return yaml("otlp_http/sink", endpoint, key);
  }

  private String yaml(String id, String endpoint, String key) {
    return Yaml.anywhere(lab.directory())
        + """
        exporters:
          %s:
            endpoint: %s
            probe_interval: 0s
            %s
        routes:
          - { name: default, exporters: [%s] }
        """
            .formatted(id, endpoint, key, id);
  }

  private static byte[] request(int number) {
    return Items.request(
        Kind.TRACES, (long) number * ITEMS, ITEMS, Map.of("service.name", "checkout"));
  }

  private static Set<Long> ids(int requests) {
    return LongStream.range(0, (long) requests * ITEMS).boxed().collect(Collectors.toSet());
  }

  private static void send(Wire wire, byte[] body) {
    Wire.Reply reply = wire.send(Kind.TRACES, body);
    assertThat(reply.acknowledged()).as(reply.status()).isTrue();
  }

  private static void sendAtOnce(RelayProcess relay, int first) throws Exception {
    try (HttpWire wire = new HttpWire(relay::http, Encoding.GZIP);
        ExecutorService threads = Executors.newFixedThreadPool(SENDERS)) {
      List<Future<?>> sending = new ArrayList<>();
      for (int i = 0; i < SENDERS; i++) {
        byte[] request = request(first + i);
        sending.add(threads.submit(() -> send(wire, request)));
      }
      for (Future<?> sent : sending) {
        sent.get();
      }
    }
  }

  private static long delivered(RelayProcess relay) {
    return relay.ledger().lanes().stream().mapToLong(l -> Ledger.sum(l.delivered())).sum();
  }

  private static void assertAllDelivered(RelayProcess relay, int requests) {
    await().until(() -> relay.ledger().buffered() == 0);
    assertThat(relay.ledger().balanced()).isTrue();
    assertThat(delivered(relay)).isEqualTo((long) requests * ITEMS);
  }

  /** The last member says how much it holds. */
  private static boolean isOneMember(byte[] gzip) {
    int end = gzip.length;
    int last =
        gzip[end - 4] & 0xff
            | (gzip[end - 3] & 0xff) << 8
            | (gzip[end - 2] & 0xff) << 16
            | (gzip[end - 1] & 0xff) << 24;
    return last == plain(gzip).length;
  }

  private static byte[] plain(byte[] gzip) {
    try {
      return Encoding.GZIP.decompress(gzip);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Keeps the bodies of what it takes, as they come. */
  private static final class BytesSink implements AutoCloseable {
    private final HttpServer server;
    final List<byte[]> bodies = new CopyOnWriteArrayList<>();
    final List<String> encodings = new CopyOnWriteArrayList<>();

    BytesSink() throws IOException {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
      server.createContext(
          Kind.TRACES.httpPath(),
          exchange -> {
            encodings.add(exchange.getRequestHeaders().getFirst("Content-Encoding"));
            bodies.add(exchange.getRequestBody().readAllBytes());
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
          });
      server.start();
    }

    String endpoint() {
      return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** The numbers of all items that came, each unharmed and once. */
    Set<Long> ids() throws IOException {
      Set<Long> ids = new HashSet<>();
      for (byte[] body : bodies) {
        Items.Found found = Items.find(Kind.TRACES, ByteString.copyFrom(plain(body)));
        assertThat(found.damaged()).isZero();
        assertThat(found.ids()).allMatch(ids::add);
      }
      return ids;
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }
}
