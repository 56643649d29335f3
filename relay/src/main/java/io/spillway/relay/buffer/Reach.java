package io.spillway.relay.buffer;

import io.spillway.buffer.LaneReader;
import io.spillway.buffer.Selection;
import java.io.IOException;
import picocli.CommandLine.Option;

/** The options that say whether settled blocks count. */
final class Reach {

  @Option(
      names = "--all",
      description =
          "Also what was delivered already and is still on disk. Default: only what is not.")
  private boolean all;

  @Option(names = "--undelivered", description = "Only what is not delivered yet; the default.")
  private boolean undelivered;

  Selection of(LaneReader lane, Selection range) throws CommandFailure, IOException {
    if (all && undelivered) {
      throw CommandFailure.badUsage("--all and --undelivered are both given (expected one)");
    }
    return all ? range : lane.unsettled(range);
  }
}
