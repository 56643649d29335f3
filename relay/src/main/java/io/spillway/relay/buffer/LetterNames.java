package io.spillway.relay.buffer;

import io.spillway.buffer.BufferReader;
import io.spillway.buffer.DeadLetters;
import io.spillway.buffer.LetterEntry;
import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Parameters;

/** Finds dead letters by the lanes and ids on the command line. */
public final class LetterNames {

  @Parameters(
      paramLabel = "LANE|ID",
      arity = "0..*",
      description = "ROUTE/SIGNAL for all letters of a lane, or the id of one.")
  private List<String> names = new ArrayList<>();

  /** A letter and where it is. */
  public record Chosen(DeadLetters letters, LetterEntry entry) {}

  public boolean areGiven() {
    return !names.isEmpty();
  }

  /**
   * The letters that were named, oldest first within each lane; all if nothing was.
   *
   * @throws CommandFailure if a lane or a letter is not there
   */
  public List<Chosen> choose(BufferReader buffer) throws CommandFailure, IOException {
    List<Chosen> chosen = new ArrayList<>();
    if (names.isEmpty()) {
      for (LaneId lane : buffer.lanes()) {
        addAll(chosen, buffer.deadLetters(lane));
      }
    }
    for (String name : names) {
      if (name.contains("/")) {
        addAll(chosen, buffer.deadLetters(LaneNames.choose(buffer, List.of(name)).getFirst().id()));
      } else {
        addOne(chosen, buffer, name);
      }
    }
    return chosen;
  }

  private static void addAll(List<Chosen> chosen, DeadLetters letters) throws IOException {
    letters.list().forEach(entry -> chosen.add(new Chosen(letters, entry)));
  }

  private static void addOne(List<Chosen> chosen, BufferReader buffer, String id)
      throws CommandFailure, IOException {
    for (LaneId lane : buffer.lanes()) {
      DeadLetters letters = buffer.deadLetters(lane);
      for (LetterEntry entry : letters.list()) {
        if (entry.id().equals(id)) {
          chosen.add(new Chosen(letters, entry));
          return;
        }
      }
    }
    throw CommandFailure.badUsage(
        "\"%s\": no dead letter has this id, and it is no lane (expected an id as dead-letters lists"
                .formatted(id)
            + " them, or ROUTE/SIGNAL)");
  }
}
