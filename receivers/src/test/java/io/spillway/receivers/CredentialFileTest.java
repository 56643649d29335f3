package io.spillway.receivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.spillway.otlp.LogLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Looks, one by one, and what stands in the files. */
class CredentialFileTest {
  @TempDir Path folder;

  private final AtomicLong nanos = new AtomicLong();

  private AuthConfig config(AuthConfig.Kind kind) {
    return new AuthConfig(kind, folder.resolve("file"), "user");
  }

  private CredentialFile tokens(String text) throws IOException {
    Files.writeString(folder.resolve("file"), text);
    return new CredentialFile("auth", config(AuthConfig.Kind.BEARER_TOKENS), nanos::get);
  }

  private static boolean takes(CredentialFile file, String token) {
    CredentialSet current = file.current();
    return current != null && current.accepts("Bearer " + token);
  }

  @Test
  void look_changed_isTakenWhenTheNextLookFindsTheSame() throws IOException {
    CredentialFile file = tokens("old");
    Files.writeString(folder.resolve("file"), "ne");
    file.look();
    Files.writeString(folder.resolve("file"), "new");
    file.look();
    assertThat(takes(file, "old")).isTrue();
    assertThat(takes(file, "ne")).isFalse();

    file.look();

    assertThat(takes(file, "old")).isFalse();
    assertThat(takes(file, "new")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "# none\n", "two words\n"})
  void look_nothingUsable_nobodyIsKnownAndNothingOfItIsLogged(String text) throws IOException {
    try (LogLines log = new LogLines(OtlpReceiver.class)) {
      CredentialFile file = tokens("old");
      Files.writeString(folder.resolve("file"), text);
      file.look();
      assertThat(takes(file, "old")).isTrue();

      file.look();
      file.look();

      assertThat(file.current()).isNull();
      assertThat(log.at(Level.ERROR))
          .singleElement()
          .asString()
          .startsWith("auth: " + folder.resolve("file"))
          .doesNotContain("two words");
      Files.writeString(folder.resolve("file"), "old");
      file.look();
      file.look();
      assertThat(takes(file, "old")).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({"ann, plain, true", "bob, hashed, true", "ann, hashed, false", "bob, '', false"})
  void accepts_htpasswd_plainAndSha(String user, String password, boolean accepted)
      throws IOException {
    String text = "ann:plain\nbob:{SHA}YxhVOJnarilBcYwCUIru6TivGhw=\n";
    CredentialSet set = CredentialSet.parse(config(AuthConfig.Kind.HTPASSWD), text);

    assertThat(set.accepts(basic(user, password))).isEqualTo(accepted);
  }

  private static String basic(String user, String password) {
    return "Basic "
        + java.util.Base64.getEncoder()
            .encodeToString(
                (user + ":" + password).getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ann:$2y$05$abc", "ann:$apr1$x$y", "ann", ":x", "ann:{SHA}!"})
  void parse_htpasswdThatIsNotRead_namesTheLine(String line) {
    assertThatThrownBy(
            () ->
                CredentialSet.parse(config(AuthConfig.Kind.HTPASSWD), "good:line\n" + line + "\n"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(folder.resolve("file") + " line 2 is no credential (expected ")
        .hasMessageNotContaining(line);
  }

  @Test
  void parse_tooMany_isRefused() {
    assertThatThrownBy(
            () ->
                CredentialSet.parse(
                    config(AuthConfig.Kind.BEARER_TOKENS),
                    "x\n".repeat(CredentialSet.MAX_ENTRIES + 1)))
        .isInstanceOf(IOException.class)
        .hasMessageEndingWith("(expected 1 to 1000, one per line)");
  }

  @Test
  void accepts_basicThatIsNoBase64_isFalse() throws IOException {
    CredentialSet set = CredentialSet.parse(config(AuthConfig.Kind.PASSWORD), "secret");

    assertThat(set.accepts("Basic !!!")).isFalse();
    assertThat(set.accepts("Basic dXNlcg==")).isFalse();
    assertThat(set.toString()).doesNotContain("secret");
  }
}
