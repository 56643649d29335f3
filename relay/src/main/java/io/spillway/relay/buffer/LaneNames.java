package io.spillway.relay.buffer;

import io.spillway.buffer.BufferReader;
import io.spillway.buffer.LaneReader;
import io.spillway.config.Suggestions;
import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Parameters;

/** Finds lanes by the names that people give them; as a mixin, by those on the command line. */
public final class LaneNames {

  @Parameters(
      paramLabel = "LANE",
      arity = "0..*",
      description = "ROUTE/SIGNAL. Default: all lanes.")
  private List<String> names = new ArrayList<>();

  /** How many were given. */
  public int count() {
    return names.size();
  }

  /** As {@link #choose(BufferReader, List)}, with the names that were given. */
  public List<LaneReader> choose(BufferReader buffer) throws CommandFailure, IOException {
    return choose(buffer, names);
  }

  /**
   * The lanes of these names ({@code route/signal}), in this order; all lanes if none is given.
   *
   * @throws CommandFailure if there is no such lane
   */
  public static List<LaneReader> choose(BufferReader buffer, List<String> names)
      throws CommandFailure, IOException {
    List<LaneId> known = buffer.lanes();
    if (names.isEmpty()) {
      return known.stream().map(buffer::lane).toList();
    }
    List<LaneReader> chosen = new ArrayList<>();
    for (String name : names) {
      chosen.add(buffer.lane(find(buffer, known, name)));
    }
    return chosen;
  }

  private static LaneId find(BufferReader buffer, List<LaneId> known, String name)
      throws CommandFailure {
    List<String> texts = known.stream().map(LaneId::toString).toList();
    int at = texts.indexOf(name);
    if (at < 0) {
      throw CommandFailure.badUsage(
          "lane \"%s\": not in %s%s (expected %s)"
              .formatted(
                  name,
                  buffer.directory(),
                  Suggestions.didYouMean(name, texts),
                  texts.isEmpty()
                      ? "nothing: the directory holds no lanes"
                      : "ROUTE/SIGNAL, one of " + String.join(", ", texts)));
    }
    return known.get(at);
  }
}
