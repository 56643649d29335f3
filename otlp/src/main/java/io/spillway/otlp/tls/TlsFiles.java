package io.spillway.otlp.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/** What the files of a TLS configuration held at one moment. Immutable. */
public final class TlsFiles {
  /** All public authorities together take a quarter of a MiB. */
  private static final int MAX_FILE_BYTES = 4 << 20;

  private static final String CERTIFICATE = "CERTIFICATE";

  private final TlsPaths paths;
  private final byte[] ca;
  private final byte[] cert;
  private final byte[] key;

  private TlsFiles(TlsPaths paths, byte[] ca, byte[] cert, byte[] key) {
    this.paths = paths;
    this.ca = ca;
    this.cert = cert;
    this.key = key;
  }

  /** Reads all files, as they are. Blocks. */
  public static TlsFiles read(TlsPaths paths) throws TlsConfigException {
    return new TlsFiles(
        paths,
        read(paths.caKey(), paths.ca()),
        read("cert_file", paths.cert()),
        read("key_file", paths.key()));
  }

  private static byte[] read(String key, @Nullable Path file) throws TlsConfigException {
    if (file == null) {
      return new byte[0];
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] content = in.readNBytes(MAX_FILE_BYTES + 1);
      if (content.length > MAX_FILE_BYTES) {
        throw new TlsConfigException(key, file + " is larger than 4 MiB (expected PEM)");
      }
      return content;
    } catch (IOException e) {
      throw new TlsConfigException(
          key, "cannot read " + file + " (" + e.getClass().getSimpleName() + ")");
    }
  }

  /** Whether the other one was read from files with the same content. */
  public boolean isSameAs(@Nullable TlsFiles other) {
    return other != null
        && Arrays.equals(ca, other.ca)
        && Arrays.equals(cert, other.cert)
        && Arrays.equals(key, other.key);
  }

  /** Who trusts the certificates in the file, or those of the JDK if there is none. */
  public X509ExtendedTrustManager trust() throws TlsConfigException {
    try {
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(paths.ca() == null ? null : authorities(paths.ca()));
      return only(factory);
    } catch (GeneralSecurityException | IOException e) {
      throw new TlsConfigException("", "TLS cannot be set up: " + e.getMessage());
    }
  }

  private static X509ExtendedTrustManager only(TrustManagerFactory factory) {
    return Arrays.stream(factory.getTrustManagers())
        .filter(X509ExtendedTrustManager.class::isInstance)
        .map(X509ExtendedTrustManager.class::cast)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("the JDK trusts nobody"));
  }

  private KeyStore authorities(Path file)
      throws GeneralSecurityException, IOException, TlsConfigException {
    List<X509Certificate> certificates;
    try {
      certificates = certificates(ca);
    } catch (CertificateException | IllegalArgumentException e) {
      certificates = List.of();
    }
    if (certificates.isEmpty()) {
      throw new TlsConfigException(paths.caKey(), file + " holds no certificate in PEM");
    }
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    for (int i = 0; i < certificates.size(); i++) {
      store.setCertificateEntry("ca-" + i, certificates.get(i));
    }
    return store;
  }

  private static List<X509Certificate> certificates(byte[] pem) throws CertificateException {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    List<X509Certificate> certificates = new ArrayList<>();
    for (byte[] block : Pem.blocks(pem, CERTIFICATE)) {
      certificates.add(
          (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(block)));
    }
    return certificates;
  }

  /** Who we are: a key, and the certificates that vouch for it, our own first. */
  public record Identity(PrivateKey key, List<X509Certificate> chain) {
    public Identity {
      chain = List.copyOf(chain);
    }

    /** Our own certificate. */
    public X509Certificate certificate() {
      return chain.getFirst();
    }
  }

  /** Our certificate and its key, which belong together; null if there are none. */
  public @Nullable Identity identity() throws TlsConfigException {
    Path certFile = paths.cert();
    Path keyFile = paths.key();
    if (certFile == null || keyFile == null) {
      return null;
    }
    requireContent("cert_file", certFile, cert);
    requireContent("key_file", keyFile, key);
    String both = certFile + " and " + keyFile;
    Identity identity;
    try {
      identity = parseIdentity();
    } catch (GeneralSecurityException | RuntimeException e) {
      throw new TlsConfigException(
          "cert_file",
          both
              + " are not a certificate and its key (expected PEM, the key in PKCS#8 and not"
              + " encrypted)");
    }
    if (!fits(identity.key, identity.chain.getFirst().getPublicKey())) {
      throw new TlsConfigException(
          "cert_file",
          both + " do not belong together (expected the key of the first certificate)");
    }
    return identity;
  }

  private static void requireContent(String key, Path file, byte[] content)
      throws TlsConfigException {
    if (content.length == 0) {
      throw new TlsConfigException(key, file + " is empty (expected PEM)");
    }
  }

  private Identity parseIdentity() throws GeneralSecurityException {
    List<X509Certificate> chain = certificates(cert);
    byte[] pkcs8 = Pem.blocks(key, "PRIVATE KEY").getFirst();
    String algorithm = chain.getFirst().getPublicKey().getAlgorithm();
    PrivateKey parsed =
        KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    return new Identity(parsed, chain);
  }

  /** Whether what the key signs is what the certificate vouches for. */
  private static boolean fits(PrivateKey key, PublicKey certified) {
    if (key instanceof RSAKey secret && certified instanceof RSAKey open) {
      return secret.getModulus().equals(open.getModulus());
    }
    byte[] probe = {1, 2, 3};
    try {
      Signature signature =
          Signature.getInstance(
              switch (key.getAlgorithm()) {
                case "EC" -> "SHA256withECDSA";
                case "DSA" -> "SHA256withDSA";
                default -> key.getAlgorithm();
              });
      signature.initSign(key);
      signature.update(probe);
      byte[] signed = signature.sign();
      signature.initVerify(certified);
      signature.update(probe);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }
}
