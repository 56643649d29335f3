package io.spillway.relay.buffer;

import io.spillway.buffer.LaneReader;
import io.spillway.buffer.LaneReport;
import io.spillway.buffer.LaneReport.Depth;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code buffer verify}: reads every block and compares it with what the books say. */
@Command(
    name = "verify",
    description = {
      "Reads every block of the lanes: checksums, item numbers, content, and whether checkpoint and"
          + " append mark agree with the blocks.",
      "Prints a line for each lane and for each thing that is wrong. Exit code 0 if nothing is, 1"
          + " otherwise. Changes nothing."
    },
    mixinStandardHelpOptions = true)
public final class VerifyCommand implements Callable<Integer> {

  @Mixin private BufferOptions options = new BufferOptions();
  @Mixin private LaneNames lanes = new LaneNames();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--headers",
      description = "Reads the headers of the blocks alone: quick, but blind to payloads.")
  private boolean headers;

  @Override
  public Integer call() throws InterruptedException {
    return CommandFailure.guard(spec, this::verify);
  }

  private int verify() throws CommandFailure, IOException {
    PrintWriter out = spec.commandLine().getOut();
    boolean clean = true;
    List<LaneReader> chosen = lanes.choose(options.open());
    for (LaneReader lane : chosen) {
      LaneReport report =
          lane.check(
              headers ? Depth.HEADERS : Depth.PAYLOADS,
              finding -> out.println(lane.id() + ": " + finding));
      out.println(lane.id() + ": " + describe(report));
      out.flush();
      clean &= report.isClean();
    }
    if (chosen.isEmpty()) {
      out.println("no lanes");
    }
    return clean ? 0 : 1;
  }

  private static String describe(LaneReport report) {
    StringBuilder text = new StringBuilder();
    text.append(Quantities.count(report.items(), "item"));
    text.append(" in ").append(Quantities.count(report.blocks(), "block"));
    text.append(", ").append(Quantities.bytes(report.bytes()));
    text.append("; ").append(Quantities.count(report.waiting())).append(" not yet delivered; ");
    if (report.locked() > 0) {
      text.append(Quantities.count(report.locked(), "block"))
          .append(" not looked into for want of a key; ");
    }
    if (report.isClean()) {
      return text.append(report.depth() == Depth.HEADERS ? "headers good" : "good").toString();
    }
    return text.append(Quantities.count(report.findings(), "finding"))
        .append(", ")
        .append(Quantities.count(report.missing(), "item"))
        .append(" missing, ")
        .append(Quantities.count(report.unreadable()))
        .append(" unreadable")
        .toString();
  }
}
