package io.spillway.tests.bench.relays;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.ArrayValue;
import io.opentelemetry.proto.common.v1.InstrumentationScope;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.common.v1.KeyValueList;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.logs.v1.ResourceLogs;
import io.opentelemetry.proto.logs.v1.ScopeLogs;
import io.opentelemetry.proto.logs.v1.SeverityNumber;
import io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import io.opentelemetry.proto.metrics.v1.ExponentialHistogram;
import io.opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint;
import io.opentelemetry.proto.metrics.v1.Gauge;
import io.opentelemetry.proto.metrics.v1.Histogram;
import io.opentelemetry.proto.metrics.v1.HistogramDataPoint;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import io.opentelemetry.proto.metrics.v1.Sum;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Requests that are made and compressed before the clock runs. Each item carries its number, which
 * {@link ItemSink} reads back.
 *
 * @param items of all requests together, with numbers that follow each other
 */
record Workload(Signal signal, Codec codec, List<Prepared> requests, int items) {

  /** Items of one workload; sent again and again. */
  private static final int ITEMS = 32_768;

  private static final int MIN_REQUESTS = 64;
  private static final long SEED = 20_240_229;
  private static final long BASE_NANOS = 1_700_000_000_000_000_000L;

  /** Spreads numbers over all ids; odd, so that it can be undone. */
  private static final long SPREAD = 0x9E3779B97F4A7C15L;

  private static final long UNSPREAD = inverse(SPREAD);

  /** What the requests look like. */
  enum Shape {
    /** One resource, spans of some 340 bytes, short log lines, numbers and histograms. */
    USUAL,
    /** Many resources, long attributes, stack traces, deep log bodies, exponential histograms. */
    HEAVY
  }

  /**
   * One request, ready to be sent.
   *
   * @param plain before compression
   * @param first the number of its first item
   */
  record Prepared(Slice plain, Slice payload, int first, int items) {}

  /** What a scenario asks for: requests take turns in the attribute that routes go by. */
  static Workload make(Scenario scenario) {
    Shape shape = scenario.shape();
    Signal signal = scenario.signal();
    Codec codec = scenario.in();
    int batch = scenario.batch();
    int count = Math.max(MIN_REQUESTS, ITEMS / batch);
    Random random = new Random(SEED);
    List<Prepared> requests = new ArrayList<>(count);
    try (BlockCompressor compressor = new BlockCompressor()) {
      for (int i = 0; i < count; i++) {
        Message message = message(shape, signal, i * batch, batch, i % scenario.lanes(), random);
        Slice plain = Slice.of(message.toByteArray());
        requests.add(new Prepared(plain, compressor.compress(codec, plain), i * batch, batch));
      }
    }
    return new Workload(signal, codec, List.copyOf(requests), count * batch);
  }

  int first() {
    return requests.getFirst().first();
  }

  /** The same requests with new numbers, which follow these. */
  Workload next() {
    try (BlockCompressor compressor = new BlockCompressor()) {
      List<Prepared> renumbered =
          requests.stream()
              .map(request -> renumbered(request, request.first() + items, compressor))
              .toList();
      return new Workload(signal, codec, renumbered, items);
    }
  }

  /**
   * A request with items of its own.
   *
   * @param turn which of the requests it is like, counted round and round
   */
  Prepared request(int turn, int first, BlockCompressor compressor) {
    return renumbered(requests.get(turn % requests.size()), first, compressor);
  }

  private Prepared renumbered(Prepared request, int first, BlockCompressor compressor) {
    byte[] bytes = request.plain().toByteArray();
    Slice plain = Slice.of(bytes);
    int[] number = {first};
    Numbers.places(signal, plain, at -> Numbers.write(signal, bytes, at, number[0]++));
    return new Prepared(plain, compressor.compress(codec, plain), first, request.items());
  }

  /** Bytes of an item before compression, its share of the request included. */
  double bytesPerItem() {
    return requests.stream().mapToLong(request -> request.plain().length()).sum() / (double) items;
  }

  static long id(int number) {
    return (number + 1L) * SPREAD;
  }

  /** The number that a span id stands for; of no meaning if it is not of a workload. */
  static long numberOfId(long id) {
    return id * UNSPREAD - 1;
  }

  static long time(int number) {
    return BASE_NANOS + number;
  }

  static long numberOfTime(long unixNanos) {
    return unixNanos - BASE_NANOS;
  }

  private static long inverse(long odd) {
    long x = odd;
    for (int i = 0; i < 6; i++) {
      x *= 2 - odd * x; // Newton's iteration, modulo 2^64
    }
    return x;
  }

  private static Message message(
      Shape shape, Signal signal, int first, int count, int turn, Random random) {
    int resources = shape == Shape.USUAL ? 1 : Math.min(16, count);
    ExportTraceServiceRequest.Builder traces = ExportTraceServiceRequest.newBuilder();
    ExportMetricsServiceRequest.Builder metrics = ExportMetricsServiceRequest.newBuilder();
    ExportLogsServiceRequest.Builder logs = ExportLogsServiceRequest.newBuilder();
    for (int r = 0; r < resources; r++) {
      int from = first + (int) ((long) count * r / resources);
      int to = first + (int) ((long) count * (r + 1) / resources);
      Resource resource = resource(shape, r, turn);
      switch (signal) {
        case TRACES -> traces.addResourceSpans(spans(shape, resource, from, to, random));
        case METRICS -> metrics.addResourceMetrics(points(shape, resource, from, to, random));
        case LOGS -> logs.addResourceLogs(records(shape, resource, from, to, random));
        default -> throw new IllegalArgumentException("signal: " + signal);
      }
    }
    return switch (signal) {
      case TRACES -> traces.build();
      case METRICS -> metrics.build();
      default -> logs.build();
    };
  }

  private static Resource resource(Shape shape, int index, int turn) {
    Resource.Builder resource =
        Resource.newBuilder()
            .addAttributes(text("service.name", "shop-" + index))
            .addAttributes(text("service.namespace", "web"))
            .addAttributes(
                text("service.instance.id", "627cc493-f310-47de-96bd-71410b7dec" + index))
            .addAttributes(text("lane", Integer.toString(turn)))
            .addAttributes(text("telemetry.sdk.language", "java"));
    if (shape == Shape.HEAVY) {
      for (String key :
          List.of("k8s.pod.name", "k8s.node.name", "k8s.deployment.name", "container.image.name")) {
        resource.addAttributes(text(key, key + "-7d4b9c6f5-" + index + "-" + "x".repeat(40)));
      }
    }
    return resource.build();
  }

  private static InstrumentationScope scope(String name) {
    return InstrumentationScope.newBuilder().setName(name).setVersion("2.19.0-alpha").build();
  }

  // ---- spans

  private static ResourceSpans spans(
      Shape shape, Resource resource, int from, int to, Random random) {
    ScopeSpans.Builder spans =
        ScopeSpans.newBuilder().setScope(scope("io.opentelemetry.tomcat-10.0"));
    for (int number = from; number < to; number++) {
      spans.addSpans(span(shape, number, random));
    }
    return ResourceSpans.newBuilder().setResource(resource).addScopeSpans(spans).build();
  }

  private static Span span(Shape shape, int number, Random random) {
    String route = pick(random, "/api/orders/{id}", "/api/carts/{id}/items", "/login", "/health");
    int status = random.nextInt(20) == 0 ? 500 : 200;
    long start = BASE_NANOS + number * 1_000_003L;
    Span.Builder span =
        Span.newBuilder()
            .setTraceId(random(random, 16))
            .setSpanId(bytes(id(number)))
            .setParentSpanId(random(random, 8))
            .setName("GET " + route)
            .setKind(Span.SpanKind.SPAN_KIND_SERVER)
            .setStartTimeUnixNano(start)
            .setEndTimeUnixNano(start + random.nextInt(900_000_000))
            .addAttributes(text("http.request.method", "GET"))
            .addAttributes(text("http.route", route))
            .addAttributes(text("url.path", route + "/" + random.nextInt(100_000)))
            .addAttributes(number("http.response.status_code", status))
            .addAttributes(text("server.address", "shop.example.com"))
            .addAttributes(text("client.address", "10.4." + random.nextInt(256) + ".17"))
            .addAttributes(text("user_agent.original", "okhttp/4.12." + random.nextInt(5)))
            .addAttributes(number("thread.id", random.nextInt(200)))
            .setStatus(
                Status.newBuilder()
                    .setCode(
                        status == 500
                            ? Status.StatusCode.STATUS_CODE_ERROR
                            : Status.StatusCode.STATUS_CODE_UNSET));
    if (shape == Shape.HEAVY) {
      span.addAttributes(text("db.query.text", words(random, 150)));
      for (int i = 0; i < 20; i++) {
        span.addAttributes(text("app.attribute." + i, Long.toHexString(random.nextLong())));
      }
      span.addEvents(
          Span.Event.newBuilder()
              .setName("exception")
              .setTimeUnixNano(start + 1)
              .addAttributes(text("exception.stacktrace", words(random, 200))));
      span.addLinks(
          Span.Link.newBuilder().setTraceId(random(random, 16)).setSpanId(random(random, 8)));
    }
    return span.build();
  }

  // ---- log records

  private static ResourceLogs records(
      Shape shape, Resource resource, int from, int to, Random random) {
    ScopeLogs.Builder logs = ScopeLogs.newBuilder().setScope(scope("com.example.shop.Orders"));
    for (int number = from; number < to; number++) {
      LogRecord.Builder record =
          LogRecord.newBuilder()
              .setTimeUnixNano(BASE_NANOS + number * 1_000_003L)
              .setObservedTimeUnixNano(BASE_NANOS + number * 1_000_003L + 51_000)
              .setSeverityNumber(SeverityNumber.SEVERITY_NUMBER_INFO)
              .setSeverityText("INFO")
              .setTraceId(random(random, 16))
              .setSpanId(bytes(id(number)))
              .addAttributes(text("code.function.name", "com.example.shop.Orders.accept"))
              .addAttributes(text("thread.name", "http-nio-8080-exec-" + random.nextInt(50)))
              .setBody(
                  shape == Shape.HEAVY
                      ? deep(random, 8)
                      : value(
                          "order "
                              + random.nextInt(1_000_000)
                              + " accepted: "
                              + words(random, 12)));
      logs.addLogRecords(record);
    }
    return ResourceLogs.newBuilder().setResource(resource).addScopeLogs(logs).build();
  }

  private static AnyValue deep(Random random, int levels) {
    KeyValueList.Builder list =
        KeyValueList.newBuilder()
            .addValues(text("message", words(random, 20)))
            .addValues(number("level", levels))
            .addValues(
                KeyValue.newBuilder()
                    .setKey("tags")
                    .setValue(
                        AnyValue.newBuilder()
                            .setArrayValue(
                                ArrayValue.newBuilder()
                                    .addValues(value(words(random, 1)))
                                    .addValues(value(words(random, 1))))));
    if (levels > 1) {
      list.addValues(KeyValue.newBuilder().setKey("inner").setValue(deep(random, levels - 1)));
    }
    return AnyValue.newBuilder().setKvlistValue(list).build();
  }

  // ---- data points

  private static ResourceMetrics points(
      Shape shape, Resource resource, int from, int to, Random random) {
    int perMetric = 8;
    ScopeMetrics.Builder metrics = ScopeMetrics.newBuilder().setScope(scope("io.micrometer"));
    for (int number = from; number < to; number += perMetric) {
      int end = Math.min(to, number + perMetric);
      metrics.addMetrics(
          shape == Shape.HEAVY
              ? exponential(number, end, random)
              : switch (number / perMetric % 3) {
                case 0 -> sum(number, end, random);
                case 1 -> gauge(number, end, random);
                default -> histogram(number, end, random);
              });
    }
    return ResourceMetrics.newBuilder().setResource(resource).addScopeMetrics(metrics).build();
  }

  private static Metric sum(int from, int to, Random random) {
    Sum.Builder sum =
        Sum.newBuilder()
            .setIsMonotonic(true)
            .setAggregationTemporality(AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE);
    for (int number = from; number < to; number++) {
      sum.addDataPoints(point(number, random).setAsInt(random.nextInt(1_000_000)));
    }
    return Metric.newBuilder().setName("orders.accepted").setUnit("{order}").setSum(sum).build();
  }

  private static Metric gauge(int from, int to, Random random) {
    Gauge.Builder gauge = Gauge.newBuilder();
    for (int number = from; number < to; number++) {
      gauge.addDataPoints(point(number, random).setAsDouble(random.nextDouble() * 1e9));
    }
    return Metric.newBuilder().setName("jvm.memory.used").setUnit("By").setGauge(gauge).build();
  }

  private static NumberDataPoint.Builder point(int number, Random random) {
    return NumberDataPoint.newBuilder()
        .setStartTimeUnixNano(BASE_NANOS)
        .setTimeUnixNano(time(number))
        .addAttributes(text("http.route", pick(random, "/api/orders/{id}", "/login", "/health")))
        .addAttributes(text("pool", "pool-" + random.nextInt(500)));
  }

  private static Metric histogram(int from, int to, Random random) {
    Histogram.Builder histogram =
        Histogram.newBuilder()
            .setAggregationTemporality(AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE);
    for (int number = from; number < to; number++) {
      HistogramDataPoint.Builder point =
          HistogramDataPoint.newBuilder()
              .setStartTimeUnixNano(BASE_NANOS)
              .setTimeUnixNano(time(number))
              .addAttributes(text("http.route", pick(random, "/api/orders/{id}", "/login")))
              .setSum(random.nextDouble() * 100);
      long count = 0;
      for (double bound : new double[] {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}) {
        int n = random.nextInt(500);
        count += n;
        point.addBucketCounts(n).addExplicitBounds(bound);
      }
      histogram.addDataPoints(point.addBucketCounts(0).setCount(count));
    }
    return Metric.newBuilder()
        .setName("http.server.request.duration")
        .setUnit("s")
        .setHistogram(histogram)
        .build();
  }

  private static Metric exponential(int from, int to, Random random) {
    ExponentialHistogram.Builder histogram =
        ExponentialHistogram.newBuilder()
            .setAggregationTemporality(AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA);
    for (int number = from; number < to; number++) {
      ExponentialHistogramDataPoint.Buckets.Builder buckets =
          ExponentialHistogramDataPoint.Buckets.newBuilder().setOffset(-20);
      long count = 0;
      for (int i = 0; i < 160; i++) {
        int n = random.nextInt(300);
        count += n;
        buckets.addBucketCounts(n);
      }
      histogram.addDataPoints(
          ExponentialHistogramDataPoint.newBuilder()
              .setStartTimeUnixNano(BASE_NANOS)
              .setTimeUnixNano(time(number))
              .setScale(4)
              .setCount(count)
              .setPositive(buckets)
              .addAttributes(text("http.route", pick(random, "/api/orders/{id}", "/login"))));
    }
    return Metric.newBuilder()
        .setName("rpc.server.duration")
        .setUnit("s")
        .setExponentialHistogram(histogram)
        .build();
  }

  // ---- parts

  private static String words(Random random, int count) {
    String[] words = new String[count];
    Arrays.setAll(
        words,
        _ ->
            pick(random, "select", "order", "customer", "from", "where", "warehouse", "timeout")
                + (random.nextInt(4) == 0 ? Integer.toString(random.nextInt(10_000)) : ""));
    return String.join(" ", words);
  }

  private static String pick(Random random, String... choices) {
    return choices[random.nextInt(choices.length)];
  }

  private static ByteString bytes(long value) {
    return ByteString.copyFrom(ByteBuffer.allocate(8).putLong(value).flip());
  }

  private static ByteString random(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return ByteString.copyFrom(bytes);
  }

  private static AnyValue value(String text) {
    return AnyValue.newBuilder().setStringValue(text).build();
  }

  private static KeyValue text(String key, String value) {
    return KeyValue.newBuilder().setKey(key).setValue(value(value)).build();
  }

  private static KeyValue number(String key, long value) {
    return KeyValue.newBuilder()
        .setKey(key)
        .setValue(AnyValue.newBuilder().setIntValue(value))
        .build();
  }
}
