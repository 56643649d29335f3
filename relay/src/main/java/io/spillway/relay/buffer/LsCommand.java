package io.spillway.relay.buffer;

import io.spillway.buffer.BufferReader;
import io.spillway.buffer.LaneReader;
import io.spillway.buffer.LaneSnapshot;
import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code buffer ls}: what each lane holds. */
@Command(
    name = "ls",
    description = {
      "Lists the lanes of a buffer: what waits in them for a sink, and what they take on disk.",
      "Works beside a running relay and without one; changes nothing."
    },
    mixinStandardHelpOptions = true)
public final class LsCommand implements Callable<Integer> {

  @Mixin private BufferOptions options = new BufferOptions();
  @Mixin private LaneNames lanes = new LaneNames();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--json", description = "Prints JSON, with exact numbers.")
  private boolean json;

  private record Line(LaneId id, LaneSnapshot lane) {}

  @Override
  public Integer call() throws InterruptedException {
    return CommandFailure.guard(spec, this::list);
  }

  private int list() throws CommandFailure, IOException {
    BufferReader buffer = options.open();
    List<Line> lines = new ArrayList<>();
    for (LaneReader lane : lanes.choose(buffer)) {
      lines.add(new Line(lane.id(), lane.snapshot()));
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(JsonMapper.shared().writeValueAsString(document(buffer, lines)));
    } else {
      table(buffer, lines, Instant.now()).forEach(out::println);
    }
    return 0;
  }

  private static List<String> table(BufferReader buffer, List<Line> lines, Instant now)
      throws IOException {
    OptionalLong owner = buffer.owner();
    String relay =
        owner.isPresent() ? "in use by process " + owner.getAsLong() : "no relay is seen using it";
    if (lines.isEmpty()) {
      return List.of("%s: no lanes; %s".formatted(buffer.directory(), relay));
    }
    Table table =
        new Table(
            "LANE",
            "ITEMS",
            "BLOCKS",
            "BYTES",
            "DISK",
            "OLDEST",
            "NEWEST",
            "SEGMENTS",
            "CURSOR",
            "APPENDED",
            "QUARANTINED");
    for (Line line : lines) {
      LaneSnapshot lane = line.lane;
      table.add(
          line.id.toString(),
          Quantities.count(lane.items()),
          Quantities.count(lane.blocks()),
          Quantities.bytes(lane.bytes()),
          Quantities.bytes(lane.diskBytes()),
          age(lane.oldest(), now),
          age(lane.newest(), now),
          Quantities.count(lane.segments()),
          lane.hasCheckpoint() ? Long.toString(lane.cursorItem()) : "lost",
          Long.toString(lane.appendedItem()),
          Quantities.count(lane.quarantined()));
    }
    table.add(
        "total",
        Quantities.count(sum(lines, LaneSnapshot::items)),
        Quantities.count(sum(lines, LaneSnapshot::blocks)),
        Quantities.bytes(sum(lines, LaneSnapshot::bytes)),
        Quantities.bytes(sum(lines, LaneSnapshot::diskBytes)),
        "",
        "",
        Quantities.count(sum(lines, LaneSnapshot::segments)),
        "",
        "",
        Quantities.count(sum(lines, LaneSnapshot::quarantined)));
    List<String> text = new ArrayList<>(table.lines());
    text.add(buffer.directory() + ": " + relay);
    return text;
  }

  private static String age(@Nullable Instant accepted, Instant now) {
    return accepted == null ? "-" : Quantities.duration(Duration.between(accepted, now));
  }

  private static long sum(
      List<Line> lines, java.util.function.ToLongFunction<LaneSnapshot> column) {
    return lines.stream().map(Line::lane).mapToLong(column).sum();
  }

  private static Map<String, @Nullable Object> document(BufferReader buffer, List<Line> lines)
      throws IOException {
    Map<String, @Nullable Object> document = new LinkedHashMap<>();
    OptionalLong owner = buffer.owner();
    document.put("directory", buffer.directory().toString());
    document.put("pid", owner.isPresent() ? owner.getAsLong() : null);
    document.put("lanes", lines.stream().map(LsCommand::object).toList());
    return document;
  }

  private static Map<String, @Nullable Object> object(Line line) {
    LaneSnapshot lane = line.lane;
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    object.put("route", line.id.route());
    object.put("signal", line.id.signal().label());
    object.put("items", lane.items());
    object.put("blocks", lane.blocks());
    object.put("bytes", lane.bytes());
    object.put("disk_bytes", lane.diskBytes());
    object.put("oldest", text(lane.oldest()));
    object.put("newest", text(lane.newest()));
    object.put("segments", lane.segments());
    object.put("first_item", lane.firstItem());
    object.put("cursor_item", lane.cursorItem());
    object.put("appended_item", lane.appendedItem());
    object.put("checkpoint", lane.hasCheckpoint());
    object.put("quarantined", lane.quarantined());
    object.put("sampled_out", lane.ledger().sampledOut());
    object.put("delivered", lane.ledger().delivered());
    object.put("rejected", lane.ledger().rejected());
    object.put("dropped", lane.ledger().dropped());
    object.put("redelivered", lane.ledger().redelivered());
    return object;
  }

  private static @Nullable String text(@Nullable Instant time) {
    return time == null ? null : time.toString();
  }
}
