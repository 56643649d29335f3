package io.spillway.exporters;

import io.spillway.config.Section;
import io.spillway.otlp.Codec;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a {@code file} exporter.
 *
 * @param compression of the files
 */
record FileConfig(
    String id, Path directory, RequestFormat format, Codec compression, Rotation rotation)
    implements ExporterConfig {

  /** Null if there is no directory; the problem is recorded. */
  static @Nullable FileConfig read(String id, Section section) {
    String directory = section.requiredString("directory");
    RequestFormat format = section.choice("format", RequestFormat.class, RequestFormat.PROTO);
    Codec compression = section.choice("compression", Codec.class, Codec.NONE);
    Rotation rotation = Rotation.read(section.section("rotation"));
    try {
      return directory.isEmpty()
          ? null
          : new FileConfig(id, Path.of(directory), format, compression, rotation);
    } catch (InvalidPathException e) {
      section.problem("directory", "\"" + directory + "\" is not a path (expected a directory)");
      return null;
    }
  }

  /** Stored as the file has it, a request is not compressed again; JSON has to be made anew. */
  @Override
  public Codec codec() {
    return format == RequestFormat.JSON ? Codec.ZSTD : compression;
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
