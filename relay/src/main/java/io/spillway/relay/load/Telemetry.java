package io.spillway.relay.load;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Makes export requests that look like a web service's, each item with an id of its own: spans of
 * about 430 bytes, log records, gauge, sum and histogram points, and small profiles. The same seed
 * and ids give the same shape. Not thread-safe.
 */
public final class Telemetry {

  private static final String[] METHODS = {"GET", "POST", "PUT", "DELETE"};
  private static final String[] ROUTES = {
    "/cart", "/checkout", "/catalog/{id}", "/orders/{id}/items", "/healthz", "/users/{id}/addresses"
  };
  private static final String[] AGENTS = {
    "okhttp/5.5.0", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)", "curl/8.14.1", "kube-probe/1.34"
  };
  private static final String[] MESSAGES = {
    "order accepted",
    "payment authorised by provider",
    "cache miss, reading from the store",
    "retrying after connection reset",
    "user signed in"
  };
  private static final double[] BOUNDS = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};
  private static final int POINTS_PER_METRIC = 16;
  private static final int SPANS_PER_TRACE = 6;

  private final RequestWriter writer = new RequestWriter();
  private final SplittableRandom random;
  private final long seed;
  private final Map<String, String> resource;

  /**
   * @param seed of everything but ids and times
   * @param resource attributes of the one resource of each request
   */
  public Telemetry(long seed, Map<String, String> resource) {
    this.seed = seed;
    this.random = new SplittableRandom(seed);
    this.resource = Map.copyOf(resource);
  }

  /**
   * A request with the items {@code firstId}, {@code firstId + 1}, …
   *
   * @param nowNanos Unix time of the items
   */
  public Slice request(Signal signal, long firstId, int items, long nowNanos) {
    writer.clear();
    int envelope = writer.begin(1);
    writeResource();
    int scope = writer.begin(2);
    int name = writer.begin(1);
    writer.string(1, "io.spillway.load");
    writer.string(2, "1.0");
    writer.end(name);
    switch (signal) {
      case TRACES -> writeSpans(firstId, items, nowNanos);
      case LOGS -> writeLogs(firstId, items, nowNanos);
      case METRICS -> writeMetrics(firstId, items, nowNanos);
      case PROFILES -> writeProfiles(firstId, items, nowNanos);
    }
    writer.end(scope);
    writer.end(envelope);
    if (signal == Signal.PROFILES) {
      writeDictionary();
    }
    return writer.toSlice();
  }

  private void writeResource() {
    int message = writer.begin(1);
    resource.forEach((key, value) -> writer.attribute(1, key, value));
    writer.end(message);
  }

  private void writeSpans(long firstId, int items, long nowNanos) {
    for (long id = firstId; id < firstId + items; id++) {
      long trace = id / SPANS_PER_TRACE;
      long duration = 100_000L + random.nextLong(50_000_000L);
      String method = METHODS[random.nextInt(METHODS.length)];
      String route = ROUTES[random.nextInt(ROUTES.length)];
      int span = writer.begin(2);
      writer.id(1, mix(seed + 1, trace), mix(seed + 2, trace), 16);
      writer.id(2, 0, mix(seed, id), 8);
      if (id % SPANS_PER_TRACE != 0) {
        writer.id(4, 0, mix(seed, trace * SPANS_PER_TRACE), 8);
      }
      writer.string(5, method + " " + route);
      writer.integer(6, 2);
      writer.fixed64(7, nowNanos - duration);
      writer.fixed64(8, nowNanos);
      writer.attribute(9, "http.request.method", method);
      writer.attribute(9, "http.route", route);
      writer.attribute(
          9, "url.path", route.replace("{id}", Long.toString(random.nextLong(100_000))));
      writer.attribute(9, "http.response.status_code", random.nextInt(50) == 0 ? 503 : 200);
      writer.attribute(9, "server.address", "shop-" + random.nextInt(8) + ".internal.example");
      writer.attribute(9, "server.port", 8443);
      writer.attribute(9, "user_agent.original", AGENTS[random.nextInt(AGENTS.length)]);
      writer.attribute(
          9, "client.address", "10.4." + random.nextInt(256) + "." + random.nextInt(256));
      writer.attribute(9, "thread.id", random.nextInt(200));
      writer.fixed32(16, 0x101);
      writer.end(span);
    }
  }

  private void writeLogs(long firstId, int items, long nowNanos) {
    for (long id = firstId; id < firstId + items; id++) {
      int record = writer.begin(2);
      writer.fixed64(1, nowNanos);
      writer.integer(2, random.nextInt(20) == 0 ? 17 : 9);
      writer.string(3, "INFO");
      int body = writer.begin(5);
      writer.string(
          1, MESSAGES[random.nextInt(MESSAGES.length)] + " in " + random.nextInt(900) + " ms");
      writer.end(body);
      writer.attribute(6, "log.record.uid", Long.toHexString(mix(seed, id)));
      writer.attribute(6, "code.function.name", "com.example.shop.OrderService.accept");
      writer.attribute(6, "thread.name", "worker-" + random.nextInt(32));
      writer.id(9, mix(seed + 1, id / SPANS_PER_TRACE), mix(seed + 2, id / SPANS_PER_TRACE), 16);
      writer.id(10, 0, mix(seed, id), 8);
      writer.fixed64(11, nowNanos);
      writer.end(record);
    }
  }

  /** Samples of CPU time, all of one stack of the dictionary. */
  private void writeProfiles(long firstId, int items, long nowNanos) {
    for (long id = firstId; id < firstId + items; id++) {
      int profile = writer.begin(2);
      int type = writer.begin(1);
      writer.integer(1, 1);
      writer.integer(2, 2);
      writer.end(type);
      int sample = writer.begin(2);
      writer.integer(1, 1);
      int values = writer.begin(4);
      writer.varint(1 + random.nextInt(20));
      writer.end(values);
      writer.end(sample);
      writer.fixed64(3, nowNanos);
      writer.integer(4, 1_000_000_000L);
      writer.id(7, mix(seed + 1, id), mix(seed + 2, id), 16);
      writer.end(profile);
    }
  }

  /** Tables of one entry each, behind the empty one that OTLP asks for. */
  private void writeDictionary() {
    int dictionary = writer.begin(2);
    writer.end(writer.begin(1));
    writer.end(writer.begin(2));
    int location = writer.begin(2);
    int line = writer.begin(3);
    writer.integer(1, 1);
    writer.end(line);
    writer.end(location);
    writer.end(writer.begin(3));
    int function = writer.begin(3);
    writer.integer(1, 3);
    writer.end(function);
    writer.end(writer.begin(4));
    for (String text : List.of("", "cpu", "nanoseconds", "com.example.shop.OrderService.accept")) {
      writer.string(5, text);
    }
    writer.end(writer.begin(6));
    writer.end(writer.begin(7));
    int stack = writer.begin(7);
    int locations = writer.begin(1);
    writer.varint(1);
    writer.end(locations);
    writer.end(stack);
    writer.end(dictionary);
  }

  private void writeMetrics(long firstId, int items, long nowNanos) {
    long last = firstId + items;
    for (long id = firstId; id < last; id += POINTS_PER_METRIC) {
      int kind = (int) ((id / POINTS_PER_METRIC) % 3);
      int metric = writer.begin(2);
      writer.string(
          1,
          kind == 0
              ? "process.memory.usage"
              : kind == 1 ? "http.server.active_requests" : "http.server.request.duration");
      writer.string(3, kind == 0 ? "By" : kind == 1 ? "{request}" : "s");
      int data = writer.begin(kind == 0 ? 5 : kind == 1 ? 7 : 9);
      for (long point = id; point < Math.min(last, id + POINTS_PER_METRIC); point++) {
        if (kind == 2) {
          writeHistogramPoint(point, nowNanos);
        } else {
          writeNumberPoint(point, nowNanos);
        }
      }
      if (kind != 0) {
        writer.integer(2, 2);
      }
      writer.end(data);
      writer.end(metric);
    }
  }

  private void writeNumberPoint(long id, long nowNanos) {
    int point = writer.begin(1);
    writer.attribute(7, "http.route", ROUTES[random.nextInt(ROUTES.length)]);
    writer.attribute(7, "series", Long.toHexString(mix(seed, id)));
    writer.fixed64(2, nowNanos - 60_000_000_000L);
    writer.fixed64(3, nowNanos);
    writer.fixed64(4, Double.doubleToRawLongBits(random.nextDouble(1e9)));
    writer.end(point);
  }

  private void writeHistogramPoint(long id, long nowNanos) {
    int point = writer.begin(1);
    writer.attribute(9, "http.route", ROUTES[random.nextInt(ROUTES.length)]);
    writer.attribute(9, "series", Long.toHexString(mix(seed, id)));
    writer.fixed64(2, nowNanos - 60_000_000_000L);
    writer.fixed64(3, nowNanos);
    long count = 0;
    int buckets = writer.begin(6);
    long[] counts = new long[BOUNDS.length + 1];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = random.nextInt(100);
      count += counts[i];
      writer.raw64(counts[i]);
    }
    writer.end(buckets);
    writer.fixed64(4, count);
    writer.fixed64(5, Double.doubleToRawLongBits(count * 0.04));
    int bounds = writer.begin(7);
    for (double bound : BOUNDS) {
      writer.raw64(Double.doubleToRawLongBits(bound));
    }
    writer.end(bounds);
    writer.end(point);
  }

  /** SplitMix64's finalizer: different inputs give different ids. */
  private static long mix(long seed, long id) {
    long z = id * 0x9E3779B97F4A7C15L + seed * 0xD1B54A32D192ED03L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
