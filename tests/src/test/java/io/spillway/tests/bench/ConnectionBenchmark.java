package io.spillway.tests.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.Folders;
import io.spillway.tests.harness.GrpcWire;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Wire;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.json.JsonMapper;

/**
 * What an idle connection costs, and how 1,000 active ones fare beside 10,000 of them, for each
 * protocol. Needs 11,100 file descriptors in this process and in the relay's. Every run ends with
 * the ledger; a request without a good answer, or an idle connection that was closed, is an error.
 */
public final class ConnectionBenchmark {
  private static final int IDLE = 10_000;
  private static final int ACTIVE = 1_000;
  private static final int REQUESTS_EACH = 15;
  private static final int SPANS = 10;
  private static final int WARM_UP_REQUESTS = 2_000;

  /** Each has its own ports: 127.0.0.2 and up. */
  private static final int SOURCE_ADDRESSES = 8;

  private static final int TIMEOUT_MILLIS = 60_000;
  private static final int HTTP2_FRAME_HEAD = 9;
  private static final byte[] HTTP2_BEGIN = http2Begin();
  private static final Pattern READY =
      Pattern.compile("ready: grpc=(\\S+) http=(\\S+) admin=(\\S+)");
  private static final Pattern TOTAL = Pattern.compile("Total\\s+\\d+\\s+(\\d+)");

  private final Path directory = Files.createTempDirectory("spillway-connection-benchmark");
  private final Children children = new Children(directory);
  private final HttpClient http = HttpClient.newHttpClient();
  private long nextItem;

  private ConnectionBenchmark() throws IOException {}

  public static void main(String[] args) throws Exception {
    ConnectionBenchmark benchmark = new ConnectionBenchmark();
    try {
      System.out.println(Machine.describe());
      System.out.printf(
          Locale.ROOT,
          "%n| %,d idle connections, %,d active, each with a request of %d spans a second | RSS"
              + " before | with them | RSS each | live heap each | ack p50 | ack p99 | RSS peak |"
              + "%n|---|---|---|---|---|---|---|---|%n",
          IDLE,
          ACTIVE,
          SPANS);
      benchmark.measure(Protocol.HTTP);
      benchmark.measure(Protocol.GRPC);
    } finally {
      benchmark.children.close();
      benchmark.http.close();
      Folders.delete(benchmark.directory);
    }
  }

  private enum Protocol {
    HTTP,
    GRPC
  }

  /** Something that sends one request and fails if it is not taken. */
  private interface Sender extends AutoCloseable {
    void send(byte[] request) throws IOException;

    @Override
    void close() throws IOException;
  }

  private void measure(Protocol protocol) throws Exception {
    String name = protocol.name().toLowerCase(Locale.ROOT);
    Path config = Files.writeString(directory.resolve(name + ".yaml"), config(name));
    Process relay = children.start(name, "run", "--config", config.toString());
    Matcher ready = children.await(name, READY, relay);
    String endpoint = ready.group(protocol == Protocol.GRPC ? 1 : 2);
    try (Sender sender = sender(protocol, endpoint, 0)) {
      for (int i = 0; i < WARM_UP_REQUESTS; i++) {
        sender.send(nextRequest());
      }
    }
    long heapBefore = liveHeap(relay);
    long rssBefore = rssKib(relay);
    List<Socket> idle = new ArrayList<>();
    try {
      for (int i = 0; i < IDLE; i++) {
        idle.add(idle(protocol, endpoint, i));
      }
      long heapWith = liveHeap(relay);
      long rssWith = rssKib(relay);
      long[] nanos = drive(protocol, endpoint);
      requireOpen(idle);
      System.out.printf(
          Locale.ROOT,
          "| %s | %d MiB | %d MiB | %.1f KiB | %.1f KiB | %.1f ms | %.1f ms | %d MiB |%n",
          name,
          rssBefore >> 10,
          rssWith >> 10,
          (double) (rssWith - rssBefore) / IDLE,
          (heapWith - heapBefore) / 1024.0 / IDLE,
          quantile(nanos, 0.5),
          quantile(nanos, 0.99),
          (long) Usage.memoryMib(relay, "VmHWM"));
    } finally {
      for (Socket socket : idle) {
        socket.close();
      }
    }
    requireBalanced(ready.group(3));
    relay.destroy();
    relay.waitFor(30, TimeUnit.SECONDS);
  }

  /** Idle connections are kept for longer than opening all of them takes. */
  private String config(String name) {
    return """
    receivers:
      otlp:
        protocols:
          grpc: { endpoint: "127.0.0.1:0" }
          http: { endpoint: "127.0.0.1:0", read_header_timeout: 30m }
    buffer: { directory: "%s", min_free: 64MiB }
    exporters:
      file/archive: { directory: "%s" }
    routes:
      - { name: default, exporters: [file/archive] }
    admin: { endpoint: "127.0.0.1:0" }
    """
        .formatted(directory.resolve(name), directory.resolve(name + "-archive"));
  }

  // ---- idle connections

  /** A connection that was used, or greeted, and is quiet now. */
  private Socket idle(Protocol protocol, String endpoint, int number) throws IOException {
    Socket socket = connect(endpoint, number);
    if (protocol == Protocol.HTTP) {
      post(socket, nextRequest());
    } else {
      socket.getOutputStream().write(HTTP2_BEGIN);
      // The relay's settings are its greeting.
      DataInputStream in = new DataInputStream(socket.getInputStream());
      in.readFully(new byte[HTTP2_FRAME_HEAD]);
    }
    return socket;
  }

  private static Socket connect(String endpoint, int number) throws IOException {
    int colon = endpoint.lastIndexOf(':');
    Socket socket = new Socket();
    socket.setReuseAddress(true);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(TIMEOUT_MILLIS);
    byte[] source = {127, 0, 0, (byte) (2 + number % SOURCE_ADDRESSES)};
    socket.bind(new InetSocketAddress(InetAddress.getByAddress(source), 0));
    socket.connect(
        new InetSocketAddress(
            endpoint.substring(0, colon), Integer.parseInt(endpoint.substring(colon + 1))),
        TIMEOUT_MILLIS);
    return socket;
  }

  /** An end that was read would be the relay's; whatever else came is none. */
  private static void requireOpen(List<Socket> idle) throws IOException {
    for (Socket socket : idle) {
      socket.setSoTimeout(1);
      try {
        InputStream in = socket.getInputStream();
        while (in.read() >= 0) {
          // The rest of the greeting.
        }
        throw new IllegalStateException("an idle connection was closed");
      } catch (SocketTimeoutException e) {
        // It is open, and quiet.
      }
    }
  }

  private static byte[] http2Begin() {
    byte[] preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);
    byte[] begin = Arrays.copyOf(preface, preface.length + HTTP2_FRAME_HEAD);
    // Empty settings.
    begin[preface.length + 3] = 4;
    return begin;
  }

  // ---- active connections

  /** The latencies of all requests, sorted; each connection sends one a second. */
  private long[] drive(Protocol protocol, String endpoint) throws Exception {
    CountDownLatch connected = new CountDownLatch(ACTIVE);
    long[] nanos = new long[ACTIVE * REQUESTS_EACH];
    try (ExecutorService senders = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < ACTIVE; i++) {
        int number = i;
        running.add(
            senders.submit(
                () -> {
                  try (Sender sender = sender(protocol, endpoint, number)) {
                    sender.send(nextRequest());
                    connected.countDown();
                    connected.await();
                    drive(sender, number, nanos);
                  }
                  return null;
                }));
      }
      for (Future<?> sender : running) {
        sender.get();
      }
    }
    Arrays.sort(nanos);
    return nanos;
  }

  private void drive(Sender sender, int number, long[] nanos) throws IOException {
    long start = System.nanoTime();
    long phase = TimeUnit.SECONDS.toNanos(1) * number / ACTIVE;
    for (int i = 0; i < REQUESTS_EACH; i++) {
      long due = start + phase + TimeUnit.SECONDS.toNanos(i);
      byte[] request = nextRequest();
      while (System.nanoTime() < due) {
        LockSupport.parkNanos(due - System.nanoTime());
      }
      sender.send(request);
      nanos[number * REQUESTS_EACH + i] = System.nanoTime() - due;
    }
  }

  private static Sender sender(Protocol protocol, String endpoint, int number) throws IOException {
    return protocol == Protocol.HTTP
        ? new HttpSender(connect(endpoint, number))
        : new GrpcSender(new GrpcWire(() -> endpoint, Encoding.IDENTITY));
  }

  private record HttpSender(Socket socket) implements Sender {
    @Override
    public void send(byte[] request) throws IOException {
      post(socket, request);
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private record GrpcSender(GrpcWire wire) implements Sender {
    @Override
    public void send(byte[] request) {
      Wire.Reply reply = wire.send(Kind.TRACES, request);
      if (!reply.acknowledged()) {
        throw new IllegalStateException(reply.status());
      }
    }

    @Override
    public void close() {
      wire.close();
    }
  }

  private static void post(Socket socket, byte[] request) throws IOException {
    byte[] head =
        ("POST /v1/traces HTTP/1.1\r\nHost: relay\r\nContent-Type: application/x-protobuf\r\n"
                + "Content-Length: "
                + request.length
                + "\r\n\r\n")
            .getBytes(US_ASCII);
    byte[] whole = Arrays.copyOf(head, head.length + request.length);
    System.arraycopy(request, 0, whole, head.length, request.length);
    socket.getOutputStream().write(whole);
    requireTaken(socket.getInputStream());
  }

  /** The answer to a request that was taken has a head and no body. */
  private static void requireTaken(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (!head.toString().endsWith("\r\n\r\n")) {
      int b = in.read();
      if (b < 0) {
        throw new EOFException("closed after \"" + head + "\"");
      }
      head.append(Character.toString(b));
    }
    if (!head.toString().startsWith("HTTP/1.1 200 ")) {
      throw new IllegalStateException(head.toString());
    }
  }

  private synchronized byte[] nextRequest() {
    nextItem += SPANS;
    return Items.request(Kind.TRACES, nextItem, SPANS, Map.of("service.name", "bench"));
  }

  // ---- the relay

  /** Bytes of objects that are in use, after a collection. */
  private static long liveHeap(Process relay) throws IOException, InterruptedException {
    Process jcmd =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(relay.pid()),
                "GC.class_histogram")
            .redirectErrorStream(true)
            .start();
    String histogram = new String(jcmd.getInputStream().readAllBytes(), US_ASCII);
    jcmd.waitFor();
    Matcher total = TOTAL.matcher(histogram);
    if (!total.find()) {
      throw new IllegalStateException("jcmd: " + histogram);
    }
    return Long.parseLong(total.group(1));
  }

  private static long rssKib(Process relay) throws IOException {
    return (long) Usage.memoryMib(relay, "VmRSS") << 10;
  }

  private static double quantile(long[] sorted, double quantile) {
    return sorted[(int) Math.ceil(sorted.length * quantile) - 1] / 1e6;
  }

  private void requireBalanced(String admin) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://" + admin + "/api/v1/ledger")).build();
    String ledger = http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    if (JsonMapper.shared().readTree(ledger).path("unaccounted").asLong(-1) != 0) {
      throw new IllegalStateException("the ledger does not balance: " + ledger);
    }
  }
}
