package io.spillway.exporters;

import io.spillway.config.Section;

/**
 * What a sink wants to see, and how far it is believed.
 *
 * @param strictOtlp whether data is given up when the sink answers with what OTLP calls not
 *     retryable, such as 500, INTERNAL and UNKNOWN; otherwise these are outages. What speaks of the
 *     sender or the place (401, 403, 404, redirects, UNAUTHENTICATED, PERMISSION_DENIED,
 *     UNIMPLEMENTED) is an outage in any case
 */
record SinkConfig(AuthConfig auth, boolean strictOtlp) {

  static final SinkConfig DEFAULT = new SinkConfig(AuthConfig.NONE, false);

  static SinkConfig read(Section exporter) {
    return new SinkConfig(
        AuthConfigReader.read(exporter), exporter.bool("strict_otlp", DEFAULT.strictOtlp));
  }
}
