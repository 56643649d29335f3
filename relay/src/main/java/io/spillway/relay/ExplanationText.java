package io.spillway.relay;

import io.spillway.exporters.ExporterConfig;
import io.spillway.otlp.Signal;
import io.spillway.routing.gate.Explanation;
import io.spillway.routing.gate.Explanation.Resource;
import io.spillway.routing.gate.Explanation.Taken;
import io.spillway.routing.gate.SamplingSettings;
import io.spillway.routing.policy.PolicyDecision;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** An explanation as people read it. */
final class ExplanationText {
  private final RelayConfig config;
  private final Signal signal;
  private final List<String> lines = new ArrayList<>();

  ExplanationText(RelayConfig config, Signal signal) {
    this.config = config;
    this.signal = signal;
  }

  List<String> lines(Explanation explanation) {
    lines.add(
        "%s: %s in %s"
            .formatted(
                signal.label(),
                count(explanation.items(), signal.itemName()),
                count(explanation.resources().size(), "resource")));
    if (!explanation.message().isEmpty()) {
      lines.add("answer: " + explanation.message());
    }
    if (!explanation.isRouted()) {
      lines.add("answer: the whole request is refused, since a resource is taken by no route");
    }
    int number = 1;
    for (Resource resource : explanation.resources()) {
      add(number++, resource);
    }
    return lines;
  }

  private static String count(long number, String what) {
    return number + " " + what + (number == 1 ? "" : "s");
  }

  private void add(int number, Resource resource) {
    String attributes =
        resource.attributes().entrySet().stream()
            .map(attribute -> attribute.getKey() + "=" + attribute.getValue())
            .collect(Collectors.joining(", "));
    lines.add("");
    lines.add(
        "resource %d: %s%s"
            .formatted(
                number,
                count(resource.items(), signal.itemName()),
                attributes.isEmpty() ? "" : " (" + attributes + ")"));
    if (resource.items() == 0) {
      lines.add("  holds nothing that is routed");
    } else if (resource.routes().isEmpty()) {
      lines.add("  no route takes it");
    }
    resource.routes().forEach(this::add);
  }

  private void add(Taken taken) {
    lines.add("  route %s, lane %s".formatted(taken.route().name(), taken.lane()));
    lines.add("    " + sampling(taken));
    List<List<String>> levels = taken.route().targets().levels();
    for (int level = 0; level < levels.size(); level++) {
      for (String id : levels.get(level)) {
        lines.add("    %s %s: %s".formatted(role(level), id, destinations(id)));
      }
    }
  }

  private static String role(int level) {
    return level == 0 ? "sent to" : "then, level " + (level + 1) + ",";
  }

  private String sampling(Taken taken) {
    SamplingSettings sampling = taken.route().sampling();
    if (sampling == null || signal != Signal.TRACES) {
      return "not sampled: stores " + count(taken.kept(), signal.itemName());
    }
    return "sampled at %s %%%s%s: stores %d, leaves out %d"
        .formatted(
            sampling.percentage(),
            sampling.keepErrors() ? ", errors kept" : "",
            slower(sampling),
            taken.kept(),
            taken.sampledOut());
  }

  private static String slower(SamplingSettings sampling) {
    return sampling.keepSlowerThan() == null
        ? ""
        : ", kept if slower than " + sampling.keepSlowerThan().toMillis() + " ms";
  }

  private String destinations(String id) {
    ExporterConfig exporter = Objects.requireNonNull(config.exporters().get(id));
    if (exporter.destinations().isEmpty()) {
      return "stays on this machine";
    }
    return exporter.destinations().stream()
        .map(place -> decision(config.policy().explain(place.target(exporter.caller()))))
        .distinct()
        .collect(Collectors.joining("; "));
  }

  private static String decision(PolicyDecision decision) {
    String verdict =
        switch (decision.verdict()) {
          case ALLOWED -> "allowed by";
          case DENIED -> "denied by";
          case SHADOW_DENIED -> "let through by egress::mode: shadow, against";
        };
    return "%s:%d %s %s%s"
        .formatted(
            decision.host(),
            decision.port(),
            verdict,
            decision.rule(),
            decision.reason().isEmpty() ? "" : " (" + decision.reason() + ")");
  }
}
