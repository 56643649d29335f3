package io.spillway.relay;

import io.spillway.buffer.BufferConfig;
import io.spillway.buffer.LaneSettings;
import io.spillway.config.Configuration;
import io.spillway.config.Problems;
import io.spillway.config.Section;
import io.spillway.exporters.ExporterConfig;
import io.spillway.otlp.stage.DialPolicy;
import io.spillway.otlp.stage.DialPolicy.Scheme;
import io.spillway.receivers.OtlpReceiverConfig;
import io.spillway.relay.admin.AdminConfig;
import io.spillway.relay.audit.AuditConfig;
import io.spillway.relay.telemetry.TelemetryConfig;
import io.spillway.routing.egress.FlowConfig;
import io.spillway.routing.gate.ExporterPlace;
import io.spillway.routing.gate.RouteConfig;
import io.spillway.routing.gate.RouteSettings;
import io.spillway.routing.policy.EgressPolicy;
import io.spillway.routing.policy.PolicyDecision;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The whole configuration, read by the components that own its parts.
 *
 * @param reviewed the destinations of the exporters that the policy is against; with {@code mode:
 *     shadow} they are no problems, and all are as decided
 * @param lanes what the lanes of each route may use and promise, by the route's name
 */
record RelayConfig(
    OtlpReceiverConfig receivers,
    BufferConfig buffer,
    Map<String, ExporterConfig> exporters,
    EgressPolicy policy,
    AuditConfig audit,
    List<PolicyDecision> reviewed,
    List<RouteSettings> routes,
    Map<String, LaneSettings> lanes,
    FlowConfig flow,
    AdminConfig admin,
    TelemetryConfig telemetry) {

  /**
   * Reads and checks everything. Problems, unknown keys and denied destinations included, are in
   * {@code configuration.problems()}; the result is good for use only if there are none.
   */
  static RelayConfig read(Configuration configuration) {
    Section root = configuration.root();
    Map<String, ExporterConfig> exporters = ExporterConfig.readAll(root);
    BufferConfig buffer = BufferConfig.read(root.section("buffer"));
    List<RouteSettings> routes = RouteConfig.readAll(root, places(exporters));
    EgressPolicy policy = EgressPolicy.read(root);
    List<PolicyDecision> reviewed = review(exporters, policy);
    RelayConfig config =
        new RelayConfig(
            OtlpReceiverConfig.read(root.section("receivers")),
            buffer,
            exporters,
            policy,
            AuditConfig.read(root.section("egress"), buffer.directory()),
            reviewed,
            routes,
            lanes(root, buffer),
            FlowConfig.read(root),
            AdminConfig.read(root.section("admin")),
            TelemetryConfig.read(root.section("telemetry")));
    reportDenied(reviewed, configuration.problems());
    configuration.reportUnknownKeys();
    return config;
  }

  /** Where what each exporter sends ends up: on this machine, if it dials nowhere. */
  Map<String, ExporterPlace> places() {
    return places(exporters);
  }

  private static Map<String, ExporterPlace> places(Map<String, ExporterConfig> exporters) {
    Map<String, ExporterPlace> places = new LinkedHashMap<>();
    exporters.forEach(
        (id, exporter) ->
            places.put(
                id, new ExporterPlace(exporter.region(), exporter.destinations().isEmpty())));
    return places;
  }

  private static Map<String, LaneSettings> lanes(Section root, BufferConfig buffer) {
    Map<String, LaneSettings> lanes = new LinkedHashMap<>();
    for (Section route : root.sections("routes")) {
      lanes.put(route.string("name", ""), buffer.readRoute(route.section("buffer")));
    }
    return lanes;
  }

  private static List<PolicyDecision> review(
      Map<String, ExporterConfig> exporters, EgressPolicy policy) {
    return exporters.values().stream()
        .flatMap(
            exporter ->
                exporter.destinations().stream().map(place -> place.target(exporter.caller())))
        .map(policy::review)
        .filter(Objects::nonNull)
        .toList();
  }

  private static void reportDenied(List<PolicyDecision> reviewed, Problems problems) {
    for (PolicyDecision decision : reviewed) {
      if (decision.verdict() == PolicyDecision.Verdict.DENIED) {
        problems.add("exporters::" + decision.exporter(), text(decision, "is denied"));
      }
    }
  }

  /** What is not as it should be, and yet keeps nothing from running. */
  List<Problems.Problem> warnings() {
    return reviewed.stream()
        .filter(decision -> decision.verdict() == PolicyDecision.Verdict.SHADOW_DENIED)
        .map(
            decision ->
                new Problems.Problem(
                    "exporters::" + decision.exporter(),
                    text(decision, "would be denied") + " (egress::mode: shadow lets it through)"))
        .toList();
  }

  /** Ids of the exporters that send unencrypted to other machines. */
  Set<String> plaintext() {
    return exporters.values().stream()
        .filter(RelayConfig::isPlaintextElsewhere)
        .map(ExporterConfig::id)
        .collect(Collectors.toUnmodifiableSet());
  }

  private static boolean isPlaintextElsewhere(ExporterConfig exporter) {
    List<DialPolicy.Target> targets =
        exporter.destinations().stream().map(place -> place.target(exporter.caller())).toList();
    boolean proxied = targets.stream().anyMatch(target -> target.scheme() == Scheme.PROXY);
    return targets.stream()
        .anyMatch(
            target ->
                EgressPolicy.isPlaintextElsewhere(target)
                    || (proxied && target.scheme() == Scheme.HTTP));
  }

  private static String text(PolicyDecision decision, String verdict) {
    return "%s:%d %s by the egress policy, %s: %s"
        .formatted(
            decision.host().isEmpty() ? "the host" : decision.host(),
            decision.port(),
            verdict,
            decision.rule(),
            decision.reason());
  }
}
