package io.spillway.exporters;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Certificates made for one test run by the JDK's keytool. Each is its own authority. */
final class TestCertificates {
  private static final char[] PASSWORD = "for-tests".toCharArray();
  private static final TestCertificates INSTANCE = new TestCertificates();

  private final Identity localhost;
  private final Identity elsewhere;
  private final Identity client;

  /** A certificate and its key, as PEM files. */
  record Identity(Path certificate, Path key) {}

  private TestCertificates() {
    try {
      Path folder = Files.createTempDirectory("spillway-certificates");
      List<Path> stores =
          List.of(
              folder.resolve("localhost.p12"),
              folder.resolve("elsewhere.p12"),
              folder.resolve("client.p12"));
      Process[] processes = {
        keytool(stores.get(0), "CN=localhost", "dns:localhost,ip:127.0.0.1"),
        keytool(stores.get(1), "CN=elsewhere", "dns:elsewhere.example"),
        keytool(stores.get(2), "CN=client", "dns:client.example")
      };
      for (Process process : processes) {
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
          throw new IllegalStateException("keytool failed");
        }
      }
      localhost = identity(stores.get(0));
      elsewhere = identity(stores.get(1));
      client = identity(stores.get(2));
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Good for {@code localhost} and 127.0.0.1. */
  static Identity localhost() {
    return INSTANCE.localhost;
  }

  /** Good for {@code elsewhere.example} only. */
  static Identity elsewhere() {
    return INSTANCE.elsewhere;
  }

  static Identity client() {
    return INSTANCE.client;
  }

  private static Process keytool(Path store, String name, String alternatives) throws Exception {
    Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
    return new ProcessBuilder(
            keytool.toString(),
            "-J-XX:TieredStopAtLevel=1",
            "-genkeypair",
            "-keyalg",
            "EC",
            "-groupname",
            "secp256r1",
            "-alias",
            "it",
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
            store.toString())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private static Identity identity(Path store) throws Exception {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD);
    }
    return new Identity(
        pem(store, ".crt", "CERTIFICATE", keys.getCertificate("it").getEncoded()),
        pem(store, ".key", "PRIVATE KEY", keys.getKey("it", PASSWORD).getEncoded()));
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
