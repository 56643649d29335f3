package io.spillway.receivers;

import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * Whom a client certificate names: its first URI (as a SPIFFE ID is), else its first DNS name, both
 * subject alternative names in the order of the certificate (RFC 5280 §4.2.1.6), else the common
 * name of its subject.
 */
final class CertificateTenant {
  private static final int DNS_NAME = 2;
  private static final int URI = 6;

  private CertificateTenant() {}

  /** Null if the sender showed no certificate, or one that names nobody. */
  static @Nullable String of(@Nullable SSLSession session) {
    if (session == null) {
      return null;
    }
    try {
      Certificate[] chain = session.getPeerCertificates();
      return chain.length > 0 && chain[0] instanceof X509Certificate own ? of(own) : null;
    } catch (SSLPeerUnverifiedException e) {
      return null;
    }
  }

  static @Nullable String of(X509Certificate certificate) {
    String uri = alternativeName(certificate, URI);
    String name = uri == null ? alternativeName(certificate, DNS_NAME) : uri;
    return name == null ? commonName(certificate) : name;
  }

  private static @Nullable String alternativeName(X509Certificate certificate, int type) {
    Collection<List<?>> names;
    try {
      names = certificate.getSubjectAlternativeNames();
    } catch (CertificateParsingException e) {
      return null;
    }
    if (names != null) {
      for (List<?> name : names) {
        if (name.get(0).equals(type) && name.get(1) instanceof String text) {
          return text;
        }
      }
    }
    return null;
  }

  private static @Nullable String commonName(X509Certificate certificate) {
    try {
      List<Rdn> subject = new LdapName(certificate.getSubjectX500Principal().getName()).getRdns();
      for (Rdn part : subject.reversed()) {
        if (part.getType().equalsIgnoreCase("CN")) {
          return part.getValue().toString();
        }
      }
      return null;
    } catch (InvalidNameException e) {
      return null;
    }
  }
}
