package io.spillway.exporters;

import io.spillway.otlp.Codec;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The configuration of a {@code file} exporter. */
record FileConfig(String id, Path directory) implements ExporterConfig {

  /** Files hold plain protobuf, so that any tool can replay them. */
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
