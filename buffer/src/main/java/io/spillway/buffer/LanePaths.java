package io.spillway.buffer;

import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.LaneId;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Where lanes lie: {@code lanes/<route>/<signal>}. Bytes of a route's name other than letters,
 * digits, {@code -} and {@code _} are written as {@code %XX}, so no name leaves the directory.
 */
final class LanePaths {
  /** Directories between a lane and the buffer's: {@code lanes}, the route, the signal. */
  static final int DEPTH = 3;

  private final Path lanes;

  LanePaths(Path directory) {
    this.lanes = directory.resolve("lanes");
  }

  Path of(LaneId id) {
    return lanes.resolve(encode(id.route())).resolve(id.signal().label());
  }

  /** The buffer's directory, of a lane's. */
  static Path buffer(Path lane) {
    Path at = lane.toAbsolutePath();
    for (int level = 0; level < DEPTH; level++) {
      at = Objects.requireNonNull(at.getParent(), "a lane lies below its buffer");
    }
    return at;
  }

  List<LaneId> onDisk() throws IOException {
    List<LaneId> found = new ArrayList<>();
    if (!Files.isDirectory(lanes)) {
      return found;
    }
    try (Stream<Path> routes = Files.list(lanes)) {
      for (Path route : routes.filter(Files::isDirectory).sorted().toList()) {
        for (Signal signal : Signal.values()) {
          if (Files.isDirectory(route.resolve(signal.label()))) {
            found.add(new LaneId(decode(String.valueOf(route.getFileName())), signal));
          }
        }
      }
    }
    return found;
  }

  static String encode(String route) {
    StringBuilder name = new StringBuilder();
    for (byte b : route.getBytes(StandardCharsets.UTF_8)) {
      boolean plain =
          (b >= 'a' && b <= 'z')
              || (b >= 'A' && b <= 'Z')
              || (b >= '0' && b <= '9')
              || b == '-'
              || b == '_';
      if (plain) {
        name.append((char) b);
      } else {
        name.append('%').append(String.format("%02X", b));
      }
    }
    return name.toString();
  }

  private static String decode(String name) {
    return URLDecoder.decode(name, StandardCharsets.UTF_8);
  }
}
