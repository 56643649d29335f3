package io.spillway.exporters;

import io.spillway.otlp.Codec;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The configuration of a {@code debug} exporter. */
record DebugConfig(String id, Verbosity verbosity) implements ExporterConfig {

  /** How much a line says. */
  enum Verbosity {
    /** Signal, items and bytes. */
    BASIC,
    /** Also the codec and the bytes as stored. */
    DETAILED
  }

  @Override
  public Codec codec() {
    return Codec.NONE;
  }

  @Override
  public List<Destination> destinations() {
    return List.of();
  }

  @Override
  public @Nullable String region() {
    return null;
  }

  @Override
  public boolean plaintextAllowed() {
    return false;
  }

  @Override
  public double costPerGib() {
    return 0;
  }
}
