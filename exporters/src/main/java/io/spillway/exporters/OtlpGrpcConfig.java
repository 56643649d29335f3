package io.spillway.exporters;

import io.spillway.otlp.Codec;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The configuration of an {@code otlp_grpc} exporter. */
record OtlpGrpcConfig(OtlpSettings otlp, Endpoint endpoint) implements ExporterConfig {

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
    return otlp.allDestinations(Stream.of(endpoint.destination()));
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
