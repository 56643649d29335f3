package io.spillway.tests.bench.relays;

import io.spillway.otlp.Signal;
import io.spillway.receivers.Transport;
import io.spillway.tests.bench.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** What came out of a run: as Markdown, as JSON with every sample, and as a picture. */
final class Report {
  private static final String BASE = "relays";

  private static final int BAR_HEIGHT = 14;
  private static final int LABEL_WIDTH = 430;
  private static final int PLOT_WIDTH = 420;
  private static final List<String> COLOURS =
      List.of("#1f6f8b", "#e07a3f", "#b9b9b9", "#7b5ea7", "#5a9e5a");

  private final List<String> names;
  private final int seconds;
  private final int pairs;
  private final String machine = machine();
  private final List<Result> results = new ArrayList<>();
  private final List<CourseResult> courses = new ArrayList<>();

  /**
   * @param names of the relays, Spillway first
   */
  Report(List<String> names, int seconds, int pairs) throws IOException {
    this.names = names;
    this.seconds = seconds;
    this.pairs = pairs;
  }

  /** Takes a result; gives it in words. */
  String add(Result result) {
    results.add(result);
    return result.scenario().title()
        + "\n"
        + result.samples().entrySet().stream()
            .map(
                entry ->
                    "  %-22s %10s items/s %10s per CPU s, p50 %.1f ms, p99 %.1f ms, CPU %s, RSS %.0f MiB (anonymous %.0f, peak %.0f), %.0f MiB to disk, %d refused%s%s"
                        .formatted(
                            entry.getKey(),
                            count(Sample.median(entry.getValue(), Sample::itemsPerSecond)),
                            count(Sample.median(entry.getValue(), Sample::itemsPerCpuSecond)),
                            Sample.median(entry.getValue(), Sample::p50Millis),
                            Sample.median(entry.getValue(), Sample::p99Millis),
                            cpu(result, entry.getValue()),
                            Sample.median(entry.getValue(), Sample::rssMib),
                            Sample.median(entry.getValue(), Sample::anonymousMib),
                            Sample.median(entry.getValue(), Sample::peakMib),
                            Sample.median(entry.getValue(), Sample::diskBytes) / (1 << 20),
                            entry.getValue().stream().mapToLong(Sample::refused).sum(),
                            anyLost(entry.getValue()) ? ", lost " + lost(entry.getValue()) : "",
                            ratio(result, entry.getKey(), "; ratio ")))
            .collect(Collectors.joining("\n"));
  }

  /** As the other. */
  String add(CourseResult result) {
    courses.add(result);
    return CourseReport.words(result);
  }

  void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve(BASE + ".md"), markdown());
    if (!results.isEmpty()) {
      Files.writeString(folder.resolve(BASE + ".svg"), svg());
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("machine", machine);
    json.put("relays", names);
    json.put("pairs", pairs);
    json.put("seconds", seconds);
    json.put("results", results);
    json.put("courses", courses);
    JsonMapper mapper = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    Files.writeString(folder.resolve(BASE + ".json"), mapper.writeValueAsString(json) + "\n");
  }

  private String markdown() {
    StringBuilder text = new StringBuilder();
    text.append("# Relays side by side\n\n")
        .append("Written by `RelayBenchmark`; every sample is in [relays.json](relays.json).\n\n")
        .append(machine)
        .append(". Load generator, relay and sink share it.");
    if (!results.isEmpty()) {
      text.append(
          """
           Medians of %d stretches of %d s, relays in turn;
          ratios are of pairs: Spillway's items per CPU second divided by the other's, median (least … most).
          %s

          ![items per CPU second](relays.svg)
          """
              .formatted(pairs, seconds, kept()));
    } else {
      text.append("\n");
    }
    for (Scenario.Group group : Scenario.Group.values()) {
      List<Result> ofGroup =
          results.stream().filter(result -> result.scenario().group() == group).toList();
      if (!ofGroup.isEmpty()) {
        text.append("\n## ").append(title(group)).append("\n\n");
        boolean withLost = ofGroup.stream().anyMatch(Report::anyLost);
        text.append(
            "| scenario | relay | items/s | items per CPU s | Spillway ÷ it | ack p50 | ack p99 |"
                + " CPU | RSS (anonymous) | RSS peak | to disk |"
                + (withLost ? " lost |" : "")
                + "\n|---|---|---|---|---|---|---|---|---|---|---|"
                + (withLost ? "---|" : "")
                + "\n");
        ofGroup.forEach(result -> rows(result, withLost, text));
      }
    }
    for (CourseResult result : courses) {
      text.append("\n## ").append(title(result.scenario().group())).append("\n\n");
      text.append(CourseReport.markdown(result));
    }
    return text.toString();
  }

  /** What became of all that was acknowledged. */
  private String kept() {
    return results.stream().anyMatch(Report::anyLost)
        ? """
        What Spillway acknowledged arrived, exactly as often as it was sent, and its ledgers balanced. Other relays lost items
        that they had acknowledged: `lost` says how many of all that were measured. They count in the other columns.\
        """
        : """
        Every item that was acknowledged arrived, by Spillway exactly as often as it was sent, and its ledgers balanced.\
        """;
  }

  private static boolean anyLost(Result result) {
    return result.samples().values().stream().anyMatch(Report::anyLost);
  }

  private static boolean anyLost(List<Sample> samples) {
    return samples.stream().anyMatch(sample -> sample.lost() > 0);
  }

  /** Of all stretches. */
  private static String lost(List<Sample> samples) {
    long lost = samples.stream().mapToLong(Sample::lost).sum();
    long items = samples.stream().mapToLong(Sample::items).sum();
    return "%s of %s".formatted(count(lost), count(items));
  }

  private static String title(Scenario.Group group) {
    String name = group.name().toLowerCase(Locale.ROOT);
    return name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1);
  }

  private static void rows(Result result, boolean withLost, StringBuilder text) {
    result
        .samples()
        .forEach(
            (relay, samples) ->
                text.append(
                    "| %s (%.0f B an item) | %s | %s | %s | %s | %.1f ms | %.1f ms | %s | %.0f (%.0f) MiB | %.0f MiB | %.0f MiB |%s%n"
                        .formatted(
                            result.scenario().title(),
                            result.bytesPerItem(),
                            relay,
                            count(Sample.median(samples, Sample::itemsPerSecond)),
                            count(Sample.median(samples, Sample::itemsPerCpuSecond)),
                            ratio(result, relay, ""),
                            Sample.median(samples, Sample::p50Millis),
                            Sample.median(samples, Sample::p99Millis),
                            cpu(result, samples),
                            Sample.median(samples, Sample::rssMib),
                            Sample.median(samples, Sample::anonymousMib),
                            Sample.median(samples, Sample::peakMib),
                            Sample.median(samples, Sample::diskBytes) / (1 << 20),
                            withLost ? " " + lost(samples) + " |" : "")));
  }

  /** At saturation, delivery goes on after the last acknowledgement, and time says little. */
  private static String cpu(Result result, List<Sample> samples) {
    return result.scenario().rate() == 0
        ? "-"
        : "%.1f %%".formatted(Sample.median(samples, Sample::cpuPercent));
  }

  private static String ratio(Result result, String relay, String before) {
    if (relay.equals(result.samples().keySet().iterator().next()) || result.scenario().rate() < 0) {
      return "";
    }
    return result
        .ratio(relay)
        .map(
            ratio ->
                before
                    + "%.2f (%.2f … %.2f)".formatted(ratio.median(), ratio.least(), ratio.most()))
        .orElse("");
  }

  /** Bars of items per CPU second, each scenario to the scale of its largest. */
  private String svg() {
    StringBuilder body = new StringBuilder();
    int y = 40;
    for (Result result : results) {
      if (result.scenario().rate() < 0) {
        continue; // idle
      }
      double most =
          result.samples().values().stream()
              .mapToDouble(samples -> Sample.median(samples, Sample::itemsPerCpuSecond))
              .max()
              .orElse(1);
      body.append(text(LABEL_WIDTH - 10, y + BAR_HEIGHT - 3, "end", shortTitle(result.scenario())));
      for (Map.Entry<String, List<Sample>> entry : result.samples().entrySet()) {
        double value = Sample.median(entry.getValue(), Sample::itemsPerCpuSecond);
        int width = (int) Math.round(PLOT_WIDTH * value / most);
        body.append(
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>%n"
                .formatted(LABEL_WIDTH, y, width, BAR_HEIGHT - 2, colour(entry.getKey())));
        body.append(text(LABEL_WIDTH + width + 5, y + BAR_HEIGHT - 4, "start", count(value)));
        y += BAR_HEIGHT;
      }
      y += 8;
    }
    StringBuilder legend = new StringBuilder();
    int x = 10;
    for (String name : names) {
      legend.append(
          "<rect x=\"%d\" y=\"12\" width=\"12\" height=\"12\" fill=\"%s\"/>%n"
              .formatted(x, colour(name)));
      legend.append(text(x + 17, 22, "start", name + ", items per CPU s"));
      x += 30 + 7 * (name.length() + 18);
    }
    return """
    <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">
    <rect width="100%%" height="100%%" fill="#ffffff"/>
    %s%s</svg>
    """
        .formatted(Math.max(x, LABEL_WIDTH + PLOT_WIDTH + 90), y + 10, legend, body);
  }

  private static String shortTitle(Scenario scenario) {
    return "%s%s %s %s→%s ×%d, %d conn.%s%s"
        .formatted(
            scenario.shape() == Workload.Shape.HEAVY ? "heavy " : "",
            scenario.signal() == Signal.TRACES ? "spans" : scenario.signal().label(),
            scenario.transport() == Transport.GRPC ? "gRPC" : "HTTP",
            RelayBenchmark.name(scenario.in()),
            RelayBenchmark.name(scenario.out()),
            scenario.batch(),
            scenario.connections(),
            scenario.lanes() == 1 ? "" : ", " + scenario.lanes() + " lanes",
            scenario.rate() == 0 ? "" : ", " + scenario.load());
  }

  private static String text(int x, int y, String anchor, String text) {
    return "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" fill=\"#222\">%s</text>%n"
        .formatted(x, y, anchor, text.replace("&", "&amp;").replace("<", "&lt;"));
  }

  private String colour(String name) {
    return COLOURS.get(names.indexOf(name) % COLOURS.size());
  }

  private static String count(double value) {
    return String.format(Locale.ROOT, "%,.0f", value);
  }

  private static String machine() throws IOException {
    return Machine.describe();
  }
}
