package io.spillway.tests.harness;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import tools.jackson.databind.JsonNode;

/**
 * What {@code GET /api/v1/ledger} said, in items. A missing key is an error: the ledger is a
 * contract.
 *
 * @param accepted by signal
 * @param refused by signal
 * @param invalid by signal
 */
public record Ledger(
    long unaccounted,
    Map<String, Long> accepted,
    Map<String, Long> refused,
    Map<String, Long> invalid,
    List<Line> lanes) {

  /** The account of one lane. */
  public record Line(
      String route,
      String signal,
      long routed,
      long sampledOut,
      Map<String, Long> delivered,
      Map<String, Long> rejected,
      Map<String, Long> dropped,
      long buffered,
      long redelivered) {

    /** What is missing from the identity, by our own arithmetic. */
    public long missing() {
      return routed - sampledOut - sum(delivered) - sum(rejected) - sum(dropped) - buffered;
    }
  }

  static Ledger of(JsonNode json) {
    List<Line> lanes = new ArrayList<>();
    json.required("lanes").forEach(lane -> lanes.add(line(lane)));
    JsonNode received = json.required("received");
    return new Ledger(
        json.required("unaccounted").asLong(),
        counts(received.required("accepted")),
        counts(received.required("refused")),
        counts(received.required("invalid")),
        lanes);
  }

  /** The lines of one kind, over all routes, summed up. */
  public long sum(Kind kind, ToLongFunction<Line> column) {
    return lanes.stream().filter(l -> l.signal().equals(kind.label())).mapToLong(column).sum();
  }

  /** A column over all lanes, summed up. */
  public long sum(ToLongFunction<Line> column) {
    return lanes.stream().mapToLong(column).sum();
  }

  /** Over all lanes and exporters. */
  public long delivered() {
    return sum(line -> sum(line.delivered()));
  }

  /** Over all lanes and reasons. */
  public long dropped() {
    return sum(line -> sum(line.dropped()));
  }

  public long buffered() {
    return sum(Line::buffered);
  }

  /**
   * Whether {@code routed = sampled_out + delivered + rejected + dropped + buffered} everywhere.
   */
  public boolean balanced() {
    return unaccounted == 0 && lanes.stream().allMatch(lane -> lane.missing() == 0);
  }

  /** The line of one lane. */
  public Line lane(String route, Kind kind) {
    return lanes.stream()
        .filter(l -> l.route().equals(route) && l.signal().equals(kind.label()))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no lane " + route + "/" + kind.label()));
  }

  public static long sum(Map<String, Long> counts) {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  private static Line line(JsonNode lane) {
    return new Line(
        lane.required("route").asString(),
        lane.required("signal").asString(),
        lane.required("routed").asLong(),
        lane.required("sampled_out").asLong(),
        counts(lane.required("delivered")),
        counts(lane.required("rejected")),
        counts(lane.required("dropped")),
        lane.required("buffered").asLong(),
        lane.required("redelivered").asLong());
  }

  private static Map<String, Long> counts(JsonNode object) {
    Map<String, Long> counts = new HashMap<>();
    object.properties().forEach(entry -> counts.put(entry.getKey(), entry.getValue().asLong()));
    return counts;
  }
}
