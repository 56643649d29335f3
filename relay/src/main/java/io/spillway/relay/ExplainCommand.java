package io.spillway.relay;

import io.spillway.config.Configuration;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.json.JsonTranscoder;
import io.spillway.otlp.stage.Sender;
import io.spillway.routing.gate.Explanation;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code explain}: what a relay with this configuration would do with a request. */
@Command(
    name = "explain",
    description = {
      "Says of each resource of a request which routes take it, what sampling keeps, into which"
          + " lane it goes, and to which exporters, with the rule of the egress policy.",
      "Starts nothing and sends nothing. Exit code 1 if the request would be refused."
    },
    mixinStandardHelpOptions = true)
final class ExplainCommand implements Callable<Integer> {
  private static final int MAX_REQUEST_BYTES = 64 << 20;

  /** What the only member of a request is called in JSON (OTLP §JSON Protobuf Encoding). */
  private static final Map<String, Signal> MEMBERS =
      Map.of(
          "resourceSpans", Signal.TRACES,
          "resourceMetrics", Signal.METRICS,
          "resourceLogs", Signal.LOGS);

  @Mixin private ConfigOptions options = new ConfigOptions();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(
      paramLabel = "REQUEST",
      description =
          "An export request: OTLP/JSON (.json), or protobuf (any other name) with --signal.")
  private Path file = Path.of("");

  @Option(
      names = "--signal",
      paramLabel = "SIGNAL",
      description = "Of a protobuf request: traces, metrics, logs or profiles.")
  private @Nullable String signal;

  @Option(names = "--tenant", paramLabel = "NAME", description = "Whose the request is.")
  private String tenant = "";

  @Option(
      names = "--header",
      paramLabel = "NAME=VALUE",
      description = "A header of the request; repeatable.")
  private Map<String, String> headers = new HashMap<>();

  /** A request and what it is of. */
  private record Request(Signal signal, Slice bytes) {}

  @Override
  public Integer call() {
    PrintWriter err = spec.commandLine().getErr();
    Configuration configuration = options.load();
    RelayConfig config = RelayConfig.read(configuration);
    if (ConfigReport.problems(configuration, err)) {
      return Main.BAD_CONFIG;
    }
    try {
      return explain(config, sender());
    } catch (IllegalArgumentException e) {
      err.println("spillway explain: " + e.getMessage());
      return Main.BAD_CONFIG;
    } catch (MalformedRequestException | PayloadTooLargeException e) {
      err.println(file + ": would be refused: " + e.getMessage());
      return 1;
    } catch (IOException e) {
      err.println(file + ": cannot be read: " + e.getMessage());
      return 1;
    } finally {
      err.flush();
    }
  }

  private int explain(RelayConfig config, Sender sender)
      throws IOException, MalformedRequestException, PayloadTooLargeException {
    Request request = read();
    Explanation explanation =
        Explanation.of(
            config.routes(),
            request.signal(),
            request.bytes(),
            sender,
            config.receivers().invalidItems());
    PrintWriter out = spec.commandLine().getOut();
    new ExplanationText(config, request.signal()).lines(explanation).forEach(out::println);
    out.flush();
    return explanation.isRouted() && !explanation.isAllRejected() ? 0 : 1;
  }

  private Sender sender() {
    Map<String, String> lower = new HashMap<>();
    headers.forEach((name, value) -> lower.put(name.toLowerCase(Locale.ROOT), value));
    return new Sender(tenant, lower);
  }

  private Request read() throws IOException, MalformedRequestException, PayloadTooLargeException {
    if (Files.size(file) > MAX_REQUEST_BYTES) {
      throw new IllegalArgumentException(
          file + ": " + Files.size(file) + " bytes (expected at most " + MAX_REQUEST_BYTES + ")");
    }
    Slice bytes = Slice.of(Files.readAllBytes(file));
    if (file.toString().endsWith(".json")) {
      Signal found = signalOf(bytes);
      return new Request(found, JsonTranscoder.toProtobuf(found, bytes, MAX_REQUEST_BYTES));
    }
    String label = signal;
    if (label == null) {
      throw new IllegalArgumentException(
          file
              + ": its name does not end in .json (expected OTLP/JSON, or --signal with protobuf)");
    }
    return new Request(
        Signal.ofLabel(label)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "--signal: " + label + " (expected traces, metrics, logs or profiles)")),
        bytes);
  }

  private Signal signalOf(Slice json) throws MalformedRequestException {
    JsonNode tree;
    try {
      tree = JsonMapper.shared().readTree(json.toByteArray());
    } catch (JacksonException e) {
      throw new MalformedRequestException("no JSON: " + e.getOriginalMessage());
    }
    for (String name : tree.propertyNames()) {
      Signal known = MEMBERS.get(name);
      if (known != null) {
        return known;
      }
    }
    throw new IllegalArgumentException(
        file
            + ": it is no export request"
            + " (expected an object with resourceSpans, resourceMetrics or resourceLogs)");
  }
}
