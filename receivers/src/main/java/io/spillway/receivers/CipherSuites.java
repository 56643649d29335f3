package io.spillway.receivers;

import io.spillway.otlp.tls.TlsConfigException;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SSLContext;

/**
 * The cipher suites of a listener. As in the Collector, the list is for TLS 1.2; those of TLS 1.3
 * are good, few and always on.
 */
final class CipherSuites {
  private static final String KEY = "cipher_suites";

  /** Names of TLS 1.3 say nothing of the key exchange. */
  private static final String TLS_1_2_NAME = "_WITH_";

  private CipherSuites() {}

  /**
   * What a listener enables.
   *
   * @param configured IANA names, at least one
   */
  static List<String> enabled(List<String> configured) throws TlsConfigException {
    List<String> known = known();
    for (String name : configured) {
      if (!known.contains(name)) {
        throw new TlsConfigException(
            KEY,
            "\""
                + name
                + "\" is not among what this JVM enables"
                + " (expected IANA names, for example TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)");
      }
    }
    List<String> enabled = new ArrayList<>(known);
    enabled.removeIf(name -> name.contains(TLS_1_2_NAME) && !configured.contains(name));
    return enabled;
  }

  private static List<String> known() throws TlsConfigException {
    try {
      return Arrays.asList(SSLContext.getDefault().getDefaultSSLParameters().getCipherSuites());
    } catch (NoSuchAlgorithmException e) {
      throw new TlsConfigException(KEY, "TLS cannot be set up: " + e.getMessage());
    }
  }
}
