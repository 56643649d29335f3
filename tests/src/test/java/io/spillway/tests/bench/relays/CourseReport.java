package io.spillway.tests.bench.relays;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Results of courses, in words and as Markdown. */
final class CourseReport {
  private static final String RESTARTED =
      "At the end of the outage the relay is killed (SIGKILL), the sink returns, and the relay is"
          + " started again on the same files and ports.\nThe first item and the backlog's last are"
          + " timed from that start; an attempt that was under way when the relay died may well"
          + " become a duplicate.";

  private CourseReport() {}

  static String words(CourseResult result) {
    return "%soutage of %d s, %s%n"
            .formatted(
                result.scenario().group() == Scenario.Group.RESTART ? "restart after an " : "",
                result.outageSeconds(),
                result.scenario().title())
        + result.samples().entrySet().stream()
            .map(
                entry ->
                    "  %-22s %s acknowledged, %s refused, %s lost, %s duplicates, CPU %s an item, ack p99 %s in the outage and %s after it, first item after %s, backlog after %s, RSS peak %s, %s to disk"
                        .formatted((Object[]) cells(entry.getKey(), entry.getValue())))
            .collect(Collectors.joining("\n"));
  }

  /** A table, and what it is of. */
  static String markdown(CourseResult result) {
    return """
    %s. The sink's port is closed for %d s, and load goes on until the backlog is delivered, which is
    what was acknowledged until then. Counts are of all %d rounds; the rest are medians (least … most). Refused are attempts, all of them made
    again. %s

    | relay | acknowledged | refused | lost | duplicates | CPU an item | ack p99, outage | ack p99, then | first item | backlog | RSS peak | to disk |
    |---|---|---|---|---|---|---|---|---|---|---|---|
    %s
    """
        .formatted(
            result.scenario().title(),
            result.outageSeconds(),
            result.samples().values().iterator().next().size(),
            result.scenario().group() == Scenario.Group.RESTART
                ? RESTARTED
                : "The first item and the backlog's last are timed from the sink's return.",
            result.samples().entrySet().stream()
                .map(
                    entry ->
                        "| " + String.join(" | ", cells(entry.getKey(), entry.getValue())) + " |")
                .collect(Collectors.joining("\n")));
  }

  private static String[] cells(String relay, List<CourseSample> samples) {
    return new String[] {
      relay,
      sum(samples, CourseSample::acknowledged),
      sum(samples, CourseSample::refused),
      sum(samples, CourseSample::lost),
      sum(samples, CourseSample::duplicates),
      spread("%.1f", "µs", samples, CourseSample::cpuMicrosPerItem),
      spread("%.1f", "ms", samples, CourseSample::outageP99Millis),
      spread("%.1f", "ms", samples, CourseSample::drainP99Millis),
      spread("%.2f", "s", samples, CourseSample::firstSeconds),
      spread("%.2f", "s", samples, CourseSample::drainSeconds),
      spread("%.0f", "MiB", samples, CourseSample::peakMib),
      spread("%.0f", "MiB", samples, sample -> (double) sample.diskBytes() / (1 << 20))
    };
  }

  private static String sum(List<CourseSample> samples, ToLongFunction<CourseSample> of) {
    return String.format(Locale.ROOT, "%,d", samples.stream().mapToLong(of).sum());
  }

  /** Of the courses that have the figure. */
  private static String spread(
      String format,
      String unit,
      List<CourseSample> samples,
      Function<CourseSample, @Nullable Double> of) {
    double[] values =
        samples.stream()
            .map(of)
            .filter(Objects::nonNull)
            .mapToDouble(Double::doubleValue)
            .sorted()
            .toArray();
    if (values.length == 0) {
      return "-";
    }
    String median = format.formatted(Sample.median(values));
    return values.length == 1
        ? median + " " + unit
        : "%s (%s … %s) %s"
            .formatted(
                median,
                format.formatted(values[0]),
                format.formatted(values[values.length - 1]),
                unit);
  }
}
