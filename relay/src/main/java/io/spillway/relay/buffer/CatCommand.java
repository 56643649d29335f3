package io.spillway.relay.buffer;

import io.spillway.buffer.LaneReader;
import io.spillway.buffer.Selection;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.json.JsonWriter;
import io.spillway.otlp.stage.Block;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code buffer cat}: shows what is in lanes. */
@Command(
    name = "cat",
    description = {
      "Prints the requests in lanes as OTLP/JSON, one request a line, oldest first, one lane after"
          + " the other.",
      "Changes nothing: what is shown is still delivered."
    },
    mixinStandardHelpOptions = true)
public final class CatCommand implements Callable<Integer> {

  @Mixin private BufferOptions options = new BufferOptions();
  @Mixin private TimeRange range = new TimeRange();
  @Mixin private Reach reach = new Reach();
  @Mixin private LaneNames lanes = new LaneNames();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--limit",
      paramLabel = "REQUESTS",
      description = "Stops after this many requests, which are lines.")
  private long limit = Long.MAX_VALUE;

  @Option(
      names = "--tenants",
      description =
          "Prints {\"tenant\":\"…\",\"request\":{…}} lines: whose each request is, empty if"
              + " nobody's.")
  private boolean tenants;

  private long printed;
  private long unreadable;
  private long hidden;

  @Override
  public Integer call() throws InterruptedException {
    return CommandFailure.guard(spec, this::cat);
  }

  private int cat() throws CommandFailure, IOException {
    if (limit < 1) {
      throw CommandFailure.badUsage("--limit: " + limit + " (expected at least 1)");
    }
    PrintWriter err = spec.commandLine().getErr();
    Selection selection = range.selection(InstantSource.system());
    boolean more = true;
    for (LaneReader lane : lanes.choose(options.open())) {
      if (!lane.id().signal().isStable()) {
        err.println(lane.id() + ": has no JSON here and is not shown; export copies it.");
      } else if (more) {
        more = cat(lane, reach.of(lane, selection));
      }
    }
    if (printed == 0 && unreadable == 0) {
      err.println("nothing in range");
    }
    if (hidden > 0) {
      err.println(
          Quantities.count(hidden, "byte")
              + " of fields that OTLP does not know were not shown; export keeps them.");
    }
    err.flush();
    return unreadable == 0 ? 0 : 1;
  }

  /** False when enough was printed, or nobody reads any more. */
  private boolean cat(LaneReader lane, Selection selection) throws IOException {
    try (StoredRequests requests =
        new StoredRequests(lane, selection, spec.commandLine().getErr())) {
      boolean more = true;
      for (Block b = requests.next(); b != null && more; b = more ? requests.next() : null) {
        Signal signal = b.signal();
        more = requests.each(b, (bytes, request) -> print(signal, bytes, request.tenant()));
      }
      unreadable += requests.unreadable();
      return more;
    }
  }

  private boolean print(Signal signal, Slice request, String tenant) {
    JsonWriter.Json json;
    try {
      json = JsonWriter.write(signal, request);
    } catch (MalformedRequestException e) {
      unreadable++;
      spec.commandLine().getErr().println("a stored request is malformed: " + e.getMessage());
      return true;
    }
    hidden += json.unknownBytes();
    Slice text = json.text();
    PrintWriter out = spec.commandLine().getOut();
    String line = new String(text.array(), text.offset(), text.length(), StandardCharsets.UTF_8);
    out.println(tenants ? withTenant(tenant, line) : line);
    printed++;
    return !out.checkError() && printed < limit; // an error: the reader closed the pipe
  }

  private static String withTenant(String tenant, String request) {
    return "{\"tenant\":%s,\"request\":%s}"
        .formatted(JsonMapper.shared().writeValueAsString(tenant), request);
  }
}
