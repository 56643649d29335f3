package io.spillway.receivers;

import io.spillway.config.Section;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a user writes under {@code cors}, as in the Collector: which pages' scripts may send.
 *
 * @param allowedOrigins with at most one {@code *} each, for any run of characters; not empty
 * @param allowedHeaders that scripts may set beyond those every exporter needs; {@code *} for all
 * @param exposedHeaders of the answers that scripts may read
 * @param maxAgeSeconds how long a browser may remember the permission; 0 leaves it to the browser
 */
public record Cors(
    List<String> allowedOrigins,
    List<String> allowedHeaders,
    List<String> exposedHeaders,
    int maxAgeSeconds) {
  private static final int MAX_AGE_LIMIT = 86_400;

  public Cors {
    allowedOrigins = List.copyOf(allowedOrigins);
    allowedHeaders = List.copyOf(allowedHeaders);
    exposedHeaders = List.copyOf(exposedHeaders);
  }

  /** Null if no origin is allowed. */
  static @Nullable Cors read(Section http) {
    Section section = http.section("cors");
    List<String> origins = section.strings("allowed_origins");
    for (String origin : origins) {
      if (origin.isBlank() || origin.indexOf('*') != origin.lastIndexOf('*')) {
        section.problem(
            "allowed_origins",
            "\""
                + origin
                + "\" is not an origin (expected for example https://app.example, with at most"
                + " one *)");
      }
    }
    Cors cors =
        new Cors(
            origins,
            section.strings("allowed_headers"),
            section.strings("exposed_headers"),
            section.integer("max_age", 0, 0, MAX_AGE_LIMIT));
    if (origins.isEmpty() && !section.keys().isEmpty()) {
      section.problem(
          "allowed_origins", "no origin is allowed (expected at least one, or no cors section)");
    }
    return origins.isEmpty() ? null : cors;
  }
}
