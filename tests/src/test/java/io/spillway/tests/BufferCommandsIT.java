package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Message;
import io.spillway.tests.harness.CapturedRequest;
import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Keep;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Fault;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Load;
import io.spillway.tests.harness.Program;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Yaml;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The {@code buffer} commands beside a relay whose sink is down: they see everything that it owes,
 * send copies of it elsewhere, and leave it to the relay to deliver.
 */
@Timeout(300)
class BufferCommandsIT {

  @RegisterExtension final Lab lab = new Lab();

  @Test
  void commands_besideRelayWithoutSink_showCopyAndReplayWhatItThenDelivers() throws Exception {
    CapturingSink sink = lab.sink(Protocol.GRPC, Keep.REQUESTS);
    CapturingSink second = lab.sink(Protocol.HTTP, Keep.REQUESTS);
    sink.fail(new Fault.Refused());
    String yaml =
        Yaml.anywhere(lab.directory())
            + "exporters:\n"
            + Yaml.exporter("sink", sink, "gzip")
            + Yaml.exporter("second", second, "zstd")
            + "routes:\n  - { name: default, exporters: [%s] }\n".formatted(Yaml.id("sink", sink));
    RelayProcess relay = lab.relay(yaml);
    Load load = lab.own(Load.mixed(relay, 10, 2)).start();
    await().until(() -> load.acknowledged() > 1_500);
    load.stop();
    long buffered = relay.ledger().buffered();
    assertThat(buffered).isGreaterThanOrEqualTo(load.acknowledged());

    Program.Result ls = buffer("ls");
    assertThat(ls.out()).contains("in use by process ").contains("default/traces ");
    assertThat(ls.out().lines().filter(l -> l.startsWith("total ")).findFirst().orElse(""))
        .matches("total +%,d .*".formatted(buffered));
    assertThat(buffer("verify").out().lines()).hasSize(3).allMatch(l -> l.endsWith("; good"));
    assertThat(buffer("cat", "default/logs", "--limit", "3").out().lines())
        .hasSize(3)
        .allMatch(line -> line.startsWith("{\"resourceLogs\":["));

    Path copy = lab.directory().resolve("copy");
    assertThat(buffer("export", "--out", copy.toString()).out().lines()).hasSize(3);
    try (Stream<Path> files = Files.list(copy.resolve("default"))) {
      assertThat(files).hasSize(3).allMatch(file -> file.toString().endsWith(".otlp"));
    }

    Program.Result replay = buffer("replay", "--exporter", Yaml.id("second", second), "--yes");
    assertThat(replay.out())
        .startsWith("otlp_http/second: %,d of %,d items".formatted(buffered, buffered));
    assertThat(relay.ledger().buffered()).as("left to the relay").isEqualTo(buffered);

    sink.heal();
    await().untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    assertThat(relay.ledger().balanced()).isTrue();
    for (Kind kind : Kind.values()) {
      List<Message> delivered = items(kind, sink);
      assertThat(delivered).as("%s delivered", kind).isNotEmpty();
      assertThat(items(kind, second)).as("%s replayed", kind).isEqualTo(delivered);
    }
    assertThat(relay.stop()).isZero();
    assertThat(buffer("verify").exitCode()).isZero();
    assertThat(buffer("ls").out()).contains("no relay is seen using it");
  }

  /** Runs a command that must go well. */
  private Program.Result buffer(String command, String... arguments) {
    String config = lab.directory().resolve("config.yaml").toString();
    String[] all =
        Stream.concat(Stream.of("buffer", command, "--config", config), Stream.of(arguments))
            .toArray(String[]::new);
    Program.Result result = Program.run(lab.directory(), Map.of(), all);
    assertThat(result.exitCode())
        .as("%s: %s %s", String.join(" ", all), result.out(), result.err())
        .isZero();
    return result;
  }

  /** All items of a kind that a sink took, by their content. */
  private static List<Message> items(Kind kind, CapturingSink sink) {
    return sink.requests(kind).stream()
        .map(CapturedRequest::message)
        .flatMap(request -> Items.list(kind, request).stream())
        .sorted(
            java.util.Comparator.comparing(
                item -> item.toByteString().toString(java.nio.charset.StandardCharsets.ISO_8859_1)))
        .toList();
  }
}
