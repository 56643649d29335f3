package io.spillway.receivers;

import io.spillway.config.Section;
import org.jspecify.annotations.Nullable;

/**
 * What is served over HTTP, and to pages of which origins.
 *
 * @param cors null if to none
 */
public record HttpService(HttpPaths paths, @Nullable Cors cors) {
  /** The paths of the specification, and no pages. */
  static final HttpService DEFAULT = new HttpService(HttpPaths.DEFAULT, null);

  static HttpService read(Section http) {
    return new HttpService(HttpPaths.read(http), Cors.read(http));
  }
}
