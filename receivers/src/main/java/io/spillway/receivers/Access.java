package io.spillway.receivers;

import org.jspecify.annotations.Nullable;

/**
 * Decides by the head of a request whether its sender may send, before anything else is read of it.
 * Safe on any thread.
 */
final class Access {
  /** Senders need nothing. */
  static final Access OPEN = new Access(null);

  static final String DENIED_REASON =
      "credentials are missing or not known here. Nothing of this request was stored.";
  static final String UNKNOWN_REASON =
      "the credentials of senders cannot be read now. Nothing of this request was stored; send it"
          + " again later.";

  private static final String NO_CHALLENGE = "Bearer realm=\"spillway\"";

  private final @Nullable CredentialFile credentials;

  Access(@Nullable CredentialFile credentials) {
    this.credentials = credentials;
  }

  /** What was decided. */
  enum Verdict {
    ADMITTED,
    DENIED,
    /** The file of credentials cannot be read: the sender shall not drop its data for that. */
    UNKNOWN
  }

  boolean isOpen() {
    return credentials == null;
  }

  /**
   * @param authorization the value of the header; null if there is none
   */
  Verdict judge(@Nullable String authorization) {
    if (credentials == null) {
      return Verdict.ADMITTED;
    }
    CredentialSet known = credentials.current();
    if (known == null) {
      return Verdict.UNKNOWN;
    }
    return known.accepts(authorization) ? Verdict.ADMITTED : Verdict.DENIED;
  }

  /** Which credentials are asked for (RFC 9110 §11.6.1). */
  String challenge() {
    CredentialSet known = credentials == null ? null : credentials.current();
    return known == null ? NO_CHALLENGE : known.challenge();
  }
}
