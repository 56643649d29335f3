package io.spillway.exporters;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of an {@code otlp_http} exporter.
 *
 * @param endpoints where each signal is posted to; a signal without an entry has no endpoint
 */
record OtlpHttpConfig(OtlpSettings otlp, Map<Signal, Endpoint> endpoints)
    implements ExporterConfig {

  OtlpHttpConfig {
    endpoints = Map.copyOf(endpoints);
  }

  @Override
  public String id() {
    return otlp.id();
  }

  @Override
  public Codec codec() {
    return otlp.codec();
  }

  @Override
  public List<Destination> destinations() {
    return otlp.allDestinations(
        endpoints.entrySet().stream()
            .sorted(Map.Entry.comparingByKey())
            .map(entry -> entry.getValue().destination()));
  }

  @Override
  public @Nullable String region() {
    return otlp.region();
  }

  @Override
  public boolean plaintextAllowed() {
    return otlp.plaintextAllowed();
  }

  @Override
  public double costPerGib() {
    return otlp.costPerGib();
  }

  @Override
  public Duration probeInterval() {
    return otlp.probeInterval();
  }
}
