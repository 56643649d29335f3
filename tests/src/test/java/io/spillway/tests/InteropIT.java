package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Message;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.common.ComponentLoader;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Keep;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Flattened;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Ledger;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.SdkExporters;
import io.spillway.tests.harness.Yaml;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The exporters of three languages' OpenTelemetry SDKs, with each of their transports: everything
 * they send is acknowledged, and arrives at a sink behind the relay. Needs Node.js with npm, and
 * Python 3 with venv; what they run is fetched from their registries.
 */
@Tag("interop")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class InteropIT {
  private static final int COUNT = 700;
  private static final Path SCRIPTS = Path.of("src/test/interop").toAbsolutePath();
  private static final Duration INSTALL = Duration.ofMinutes(10);
  private static final Duration RUN = Duration.ofMinutes(2);

  @TempDir private static Path tools;

  @RegisterExtension final Lab lab = new Lab();

  private CapturingSink sink;
  private RelayProcess relay;

  @BeforeAll
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  static void install() throws Exception {
    Path javascript = Files.createDirectory(tools.resolve("javascript"));
    for (String file : List.of("package.json", "package-lock.json", "send.mjs")) {
      Files.copy(SCRIPTS.resolve("javascript").resolve(file), javascript.resolve(file));
    }
    run(javascript, INSTALL, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts");
    Path python = tools.resolve("python");
    run(tools, INSTALL, "python3", "-m", "venv", python.toString());
    String requirements = SCRIPTS.resolve("python").resolve("requirements.txt").toString();
    run(python, INSTALL, "bin/pip", "install", "--quiet", "--requirement", requirements);
  }

  @BeforeEach
  void start() {
    sink = lab.sink(Protocol.GRPC, Keep.REQUESTS);
    relay = lab.relay(Yaml.toOneSink(Yaml.anywhere(lab.directory()), sink));
  }

  @ParameterizedTest
  @CsvSource({
    "grpc, none", "grpc, gzip",
    "http/protobuf, none", "http/protobuf, gzip",
    "http/json, none", "http/json, gzip",
  })
  void javascript(String protocol, String codec) throws Exception {
    Path folder = tools.resolve("javascript");
    String count = Integer.toString(COUNT);

    run(folder, RUN, "node", "send.mjs", protocol, endpoint(protocol), codec, count);

    assertEverythingArrived("javascript");
  }

  @ParameterizedTest
  @CsvSource({"grpc, none", "grpc, gzip", "http/protobuf, none", "http/protobuf, gzip"})
  void python(String protocol, String codec) throws Exception {
    String script = SCRIPTS.resolve("python").resolve("send.py").toString();
    String count = Integer.toString(COUNT);

    run(
        tools.resolve("python"),
        RUN,
        "bin/python",
        script,
        protocol,
        endpoint(protocol),
        codec,
        count);

    assertEverythingArrived("python");
  }

  @ParameterizedTest
  @CsvSource({
    "grpc, OkHttpGrpcSenderProvider, none",
    "grpc, OkHttpGrpcSenderProvider, gzip",
    "http/protobuf, OkHttpHttpSenderProvider, none",
    "http/protobuf, OkHttpHttpSenderProvider, gzip",
    "http/protobuf, JdkHttpSenderProvider, none",
    "http/protobuf, JdkHttpSenderProvider, gzip",
  })
  void java(String protocol, String sender, String codec) {
    Resource resource = Resource.getDefault().toBuilder().put("service.name", "java").build();
    SdkExporters exporters =
        new SdkExporters(
            protocol.equals("grpc") ? Protocol.GRPC : Protocol.HTTP,
            endpoint(protocol),
            codec,
            Duration.ofSeconds(10),
            only(sender));
    try (SdkTracerProvider tracers =
            SdkTracerProvider.builder()
                .setResource(resource)
                .addSpanProcessor(BatchSpanProcessor.builder(exporters.spans()).build())
                .build();
        SdkLoggerProvider loggers =
            SdkLoggerProvider.builder()
                .setResource(resource)
                .addLogRecordProcessor(BatchLogRecordProcessor.builder(exporters.logs()).build())
                .build();
        SdkMeterProvider meters =
            SdkMeterProvider.builder()
                .setResource(resource)
                .registerMetricReader(
                    PeriodicMetricReader.builder(exporters.metrics())
                        .setInterval(Duration.ofHours(1))
                        .build())
                .build()) {
      AttributeKey<Long> number = AttributeKey.longKey("i");
      for (long i = 0; i < COUNT; i++) {
        tracers.get("interop").spanBuilder("span-" + i).setAttribute(number, i).startSpan().end();
        loggers
            .get("interop")
            .logRecordBuilder()
            .setBody("record-" + i)
            .setAttribute(number, i)
            .emit();
        meters.get("interop").counterBuilder("sent").build().add(1, Attributes.of(number, i));
      }
      CompletableResultCode flushed =
          CompletableResultCode.ofAll(
              List.of(tracers.forceFlush(), loggers.forceFlush(), meters.forceFlush()));
      assertThat(flushed.join(RUN.toSeconds(), TimeUnit.SECONDS).isSuccess()).isTrue();
    }

    assertEverythingArrived("java");
  }

  private String endpoint(String protocol) {
    return "http://" + (protocol.equals("grpc") ? relay.grpc() : relay.http());
  }

  private void assertEverythingArrived(String service) {
    Set<Long> all =
        IntStream.range(0, COUNT)
            .mapToObj(i -> (long) i)
            .collect(Collectors.toCollection(TreeSet::new));
    for (Kind kind : List.of(Kind.TRACES, Kind.METRICS, Kind.LOGS)) {
      await()
          .untilAsserted(() -> assertThat(numbers(kind, service)).as(kind.name()).isEqualTo(all));
    }
    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    Ledger ledger = relay.ledger();
    assertThat(ledger.balanced()).isTrue();
    assertThat(ledger.accepted())
        .containsEntry("traces", (long) COUNT)
        .containsEntry("logs", (long) COUNT);
  }

  /** The attribute {@code i} of everything that arrived of a service. */
  private Set<Long> numbers(Kind kind, String service) {
    Set<Long> numbers = new TreeSet<>();
    for (Flattened one : Flattened.all(sink.requests(kind))) {
      assertThat(text(one.resource().getAttributesList(), "service.name")).isEqualTo(service);
      for (List<KeyValue> attributes : attributes(one.item())) {
        attributes.stream()
            .filter(attribute -> attribute.getKey().equals("i"))
            .forEach(attribute -> numbers.add(number(attribute)));
      }
    }
    return numbers;
  }

  private static List<List<KeyValue>> attributes(Message item) {
    return switch (item) {
      case Span span -> List.of(span.getAttributesList());
      case LogRecord record -> List.of(record.getAttributesList());
      case Metric metric ->
          metric.getSum().getDataPointsList().stream()
              .map(point -> point.getAttributesList())
              .toList();
      default -> throw new AssertionError(item.getClass());
    };
  }

  /** JavaScript has one kind of number, and sends whole ones as integers or as doubles. */
  private static long number(KeyValue attribute) {
    return attribute.getValue().hasDoubleValue()
        ? (long) attribute.getValue().getDoubleValue()
        : attribute.getValue().getIntValue();
  }

  private static String text(List<KeyValue> attributes, String key) {
    return attributes.stream()
        .filter(attribute -> attribute.getKey().equals(key))
        .map(attribute -> attribute.getValue().getStringValue())
        .findFirst()
        .orElse("");
  }

  /** Runs a command to its end, which must be a good one. */
  private static void run(Path folder, Duration limit, String... command)
      throws IOException, InterruptedException {
    Path printed = tools.resolve("printed.txt");
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(printed.toFile())
            .start();
    try {
      if (!process.waitFor(limit)) {
        throw new AssertionError(String.join(" ", command) + " did not end in " + limit);
      }
      assertThat(process.exitValue()).as(Files.readString(printed)).isZero();
    } finally {
      process.destroyForcibly();
    }
  }

  /** Finds one way to send, and none of the others on the class path. */
  private static ComponentLoader only(String sender) {
    ComponentLoader every = ComponentLoader.forClassLoader(InteropIT.class.getClassLoader());
    return new ComponentLoader() {
      @Override
      public <T> Iterable<T> load(Class<T> service) {
        List<T> found =
            StreamSupport.stream(every.load(service).spliterator(), false)
                .filter(
                    one ->
                        !service.getSimpleName().endsWith("SenderProvider")
                            || one.getClass().getSimpleName().equals(sender))
                .toList();
        assertThat(found.isEmpty() && service.getSimpleName().endsWith("SenderProvider"))
            .as("%s is not on the class path; run with -Pinterop", sender)
            .isFalse();
        return found;
      }
    };
  }
}
