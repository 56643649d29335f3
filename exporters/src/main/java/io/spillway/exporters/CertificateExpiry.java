package io.spillway.exporters;

import java.time.Instant;

/**
 * When a certificate that an exporter depends on expires.
 *
 * @param exporter its id
 * @param holder whose it is, as a tag: see {@link Holder#label}
 */
public record CertificateExpiry(String exporter, String holder, Instant at) {

  /** Whose certificate it is. */
  enum Holder {
    SINK("sink", "the sink"),
    CLIENT("client", "this exporter"),
    TOKEN_ENDPOINT("token_endpoint", "the token endpoint"),
    TOKEN_CLIENT("token_client", "this exporter at the token endpoint");

    private final String label;
    private final String words;

    Holder(String label, String words) {
      this.label = label;
      this.words = words;
    }

    /** The value of the meter's tag. */
    String label() {
      return label;
    }

    /** For people. */
    String words() {
      return words;
    }
  }
}
