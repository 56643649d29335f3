package io.spillway.exporters;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How an exporter proves to its sink who sends, besides headers that never change.
 *
 * @param headers by name; where they come from, and what goes before them
 * @param oauth null without {@code auth::oauth2}
 */
record AuthConfig(Map<String, HeaderSecret> headers, @Nullable OAuthConfig oauth) {

  static final AuthConfig NONE = new AuthConfig(Map.of(), null);

  AuthConfig {
    headers = Collections.unmodifiableMap(new LinkedHashMap<>(headers));
  }

  /** How a header's value is made of a secret. */
  enum Form {
    AS_IT_IS,
    BEARER,
    BASIC
  }

  /**
   * A header whose value is a secret.
   *
   * @param username of {@code BASIC}; empty otherwise
   */
  record HeaderSecret(Form form, String username, Secret secret) {}

  /** Where tokens are fetched; empty if nowhere. */
  List<ExporterConfig.Destination> destinations() {
    return oauth == null ? List.of() : List.of(oauth.tokenUrl().destination());
  }
}
