package io.spillway.relay;

import io.spillway.otlp.stage.Exporter;
import io.spillway.routing.gate.ExporterPlace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a lane drains to whose route is gone: to the exporters that the route had, in its levels,
 * as they are configured now. One that is not configured any more, or that is now in a region that
 * the route did not allow, is used as it was for as long as the lane has it, that is until a
 * restart; then the lane goes without it. A lane that has exporters never loses all of them.
 *
 * @param levels in failover order, none empty; empty if nothing is left to drain to
 * @param lacking what became of exporters that are not used, or not as configured
 */
record RetiredRoute(List<List<Exporter>> levels, List<String> lacking) {

  /**
   * @param configured all exporters by id
   * @param places where they send
   * @param present exporters that the lane has now
   */
  static RetiredRoute of(
      LastRoute last,
      Map<String, Exporter> configured,
      Map<String, ExporterPlace> places,
      List<Exporter> present) {
    List<List<Exporter>> levels = new ArrayList<>();
    List<String> lacking = new ArrayList<>();
    for (List<String> ids : last.targets().levels()) {
      List<Exporter> level = new ArrayList<>();
      for (String id : ids) {
        String objection = objection(last, places.get(id));
        Exporter exporter = objection.isEmpty() ? configured.get(id) : find(present, id);
        if (exporter != null) {
          level.add(exporter);
        }
        if (!objection.isEmpty()) {
          String used = exporter == null ? "" : ", and is used as it was until a restart";
          lacking.add(id + " " + objection + used);
        }
      }
      if (!level.isEmpty()) {
        levels.add(level);
      }
    }
    if (levels.isEmpty()) {
      present.forEach(exporter -> levels.add(List.of(exporter)));
    }
    return new RetiredRoute(levels, lacking);
  }

  private static String objection(LastRoute last, @Nullable ExporterPlace place) {
    if (place == null) {
      return "is not configured any more";
    }
    String objection = last.targets().objection(place);
    return objection.isEmpty()
        ? ""
        : "%s, and the route was for regions %s only"
            .formatted(objection, last.targets().regions().stream().sorted().toList());
  }

  private static @Nullable Exporter find(List<Exporter> exporters, String id) {
    return exporters.stream().filter(exporter -> exporter.id().equals(id)).findFirst().orElse(null);
  }

  /** All exporters in failover order. */
  List<Exporter> exporters() {
    return levels.stream().flatMap(List::stream).toList();
  }

  /** What a person should know; null if the lane drains as its route would have sent. */
  @Nullable String problem() {
    return lacking.isEmpty() ? null : String.join("; ", lacking);
  }
}
