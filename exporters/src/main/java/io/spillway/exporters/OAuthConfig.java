package io.spillway.exporters;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How to get tokens by the client credentials grant (RFC 6749 §4.4). Keys are those of the
 * Collector's {@code oauth2client} extension.
 *
 * @param endpointParams sent along with each request for a token; secrets
 * @param timeout of one request for a token
 * @param expiryBuffer how long before it expires a token is replaced; at most half its lifetime
 */
record OAuthConfig(
    Secret clientId,
    Secret clientSecret,
    Endpoint tokenUrl,
    List<String> scopes,
    Map<String, String> endpointParams,
    Duration timeout,
    Duration expiryBuffer,
    TlsConfig tls) {

  OAuthConfig {
    scopes = List.copyOf(scopes);
    endpointParams = Collections.unmodifiableMap(new LinkedHashMap<>(endpointParams));
  }

  @Override
  public String toString() {
    return "OAuthConfig[" + tokenUrl.authority() + ", scopes=" + scopes + "]";
  }
}
