package io.spillway.otlp.tls;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Certificates made for one test run by the JDK's keytool. Each is its own authority. */
public final class TestCertificates {
  private static final char[] PASSWORD = "for-tests".toCharArray();
  private static final TestCertificates INSTANCE = new TestCertificates();

  private final Identity localhost;
  private final Identity renewed;
  private final Identity elsewhere;
  private final Identity client;
  private final Identity expired;
  private final Path expiredAuthority;

  /** A certificate and its key, as PEM files. */
  public record Identity(Path certificate, Path key) {}

  private TestCertificates() {
    try {
      Path folder = Files.createTempDirectory("spillway-certificates");
      List<Path> stores =
          List.of(
              folder.resolve("localhost.p12"),
              folder.resolve("elsewhere.p12"),
              folder.resolve("client.p12"),
              folder.resolve("expired.p12"),
              folder.resolve("renewed.p12"));
      // A certificate that is trusted by itself would be taken however old it is.
      waitFor(keytool(stores.get(3), "authority", "CN=authority", "dns:x.example", "-ext", "bc:c"));

      Process[] processes = {
        keytool(stores.get(0), "it", "CN=localhost", "dns:localhost,ip:127.0.0.1"),
        keytool(stores.get(4), "it", "CN=localhost", "dns:localhost,ip:127.0.0.1"),
        keytool(stores.get(1), "it", "CN=elsewhere", "dns:elsewhere.example"),
        keytool(stores.get(2), "it", "CN=client", "dns:client.example"),
        keytool(
            stores.get(3),
            "it",
            "CN=localhost",
            "dns:localhost",
            "-startdate",
            "-9d",
            "-signer",
            "authority")
      };
      for (Process process : processes) {
        waitFor(process);
      }
      localhost = identity(stores.get(0));
      renewed = identity(stores.get(4));
      elsewhere = identity(stores.get(1));
      client = identity(stores.get(2));
      expired = identity(stores.get(3));
      expiredAuthority = certificate(stores.get(3), "authority", ".ca");
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Good for {@code localhost} and 127.0.0.1. */
  public static Identity localhost() {
    return INSTANCE.localhost;
  }

  /** Good for the same, with another key and another authority. */
  public static Identity renewed() {
    return INSTANCE.renewed;
  }

  /** Good for {@code elsewhere.example} only. */
  public static Identity elsewhere() {
    return INSTANCE.elsewhere;
  }

  public static Identity client() {
    return INSTANCE.client;
  }

  private static void waitFor(Process process) throws InterruptedException {
    if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IllegalStateException("keytool failed");
    }
  }

  /** Who signed {@link #expired}. */
  public static Path expiredAuthority() {
    return INSTANCE.expiredAuthority;
  }

  /** Good for {@code localhost} until a week ago. */
  public static Identity expired() {
    return INSTANCE.expired;
  }

  private static Process keytool(
      Path store, String alias, String name, String alternatives, String... more) throws Exception {
    Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of(
            keytool.toString(),
            "-J-XX:TieredStopAtLevel=1",
            "-genkeypair",
            "-keyalg",
            "EC",
            "-groupname",
            "secp256r1",
            "-alias",
            alias,
            "-dname",
            name,
            "-ext",
            "san=" + alternatives,
            "-validity",
            "2",
            "-storetype",
            "PKCS12",
            "-storepass",
            new String(PASSWORD),
            "-keystore",
            store.toString()));
    command.addAll(List.of(more));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private static Identity identity(Path store) throws Exception {
    return new Identity(
        certificate(store, "it", ".crt"),
        pem(store, ".key", "PRIVATE KEY", keys(store).getKey("it", PASSWORD).getEncoded()));
  }

  private static Path certificate(Path store, String alias, String ending) throws Exception {
    return pem(store, ending, "CERTIFICATE", keys(store).getCertificate(alias).getEncoded());
  }

  private static KeyStore keys(Path store) throws Exception {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD);
    }
    return keys;
  }

  private static Path pem(Path store, String ending, String label, byte[] content)
      throws Exception {
    String text =
        "-----BEGIN "
            + label
            + "-----\n"
            + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content)
            + "\n-----END "
            + label
            + "-----\n";
    return Files.writeString(Path.of(store + ending), text);
  }
}
