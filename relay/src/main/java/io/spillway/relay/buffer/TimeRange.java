package io.spillway.relay.buffer;

import io.spillway.buffer.Selection;
import io.spillway.config.Durations;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say which blocks by the time they were accepted. */
public final class TimeRange {

  @Option(
      names = "--from",
      paramLabel = "TIME",
      description =
          "Only blocks with data accepted at this time or later: 2026-11-22T10:00:00Z, or 2h for"
              + " two hours ago. A block is all or nothing.")
  private @Nullable String from;

  @Option(
      names = "--to",
      paramLabel = "TIME",
      description = "Only blocks with data accepted before this time.")
  private @Nullable String to;

  public boolean isGiven() {
    return from != null || to != null;
  }

  /**
   * @throws CommandFailure if a time cannot be read, or the range is empty by itself
   */
  public Selection selection(InstantSource clock) throws CommandFailure {
    Instant first = from == null ? Instant.MIN : time("--from", from, clock);
    Instant end = to == null ? Instant.MAX : time("--to", to, clock);
    if (!first.isBefore(end)) {
      throw CommandFailure.badUsage(
          "--from %s is not before --to %s, so nothing is in the range".formatted(from, to));
    }
    return Selection.between(first, end);
  }

  private static Instant time(String option, String text, InstantSource clock)
      throws CommandFailure {
    Duration ago = Durations.parse(text).orElse(null);
    if (ago != null) {
      return clock.instant().minus(ago);
    }
    try {
      return OffsetDateTime.parse(text).toInstant();
    } catch (DateTimeParseException e) {
      throw CommandFailure.badUsage(
          "%s: \"%s\" (expected a time such as 2026-11-22T10:00:00Z, or how long ago: %s)"
              .formatted(option, text, Durations.EXPECTED));
    }
  }
}
