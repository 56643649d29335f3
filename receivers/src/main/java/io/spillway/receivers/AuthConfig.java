package io.spillway.receivers;

import io.spillway.config.Section;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where the credentials stand that senders must have.
 *
 * @param username who the one password is of; empty with the other kinds
 */
record AuthConfig(Kind kind, Path file, String username) {

  /** What stands in the file. */
  enum Kind {
    /** Tokens, one per line; {@code #} begins a comment. */
    BEARER_TOKENS,
    /** Lines {@code user:password}, the password plain or {@code {SHA}}. */
    HTPASSWD,
    /** The password of one user. */
    PASSWORD
  }

  /** Reads {@code auth}; null if that is not written, or if it cannot be used. */
  static @Nullable AuthConfig read(Section protocol) {
    boolean written = protocol.keys().contains("auth");
    Section auth = protocol.section("auth");
    Section basic = auth.section("basic");
    String tokens = auth.optionalString("bearer_token_file");
    String htpasswd = basic.optionalString("htpasswd_file");
    String username = basic.string("username", "");
    String password = basic.optionalString("password_file");
    if (!written) {
      return null;
    }
    if (countSet(tokens, htpasswd, password) != 1) {
      auth.problem(
          "",
          "needs one file (expected bearer_token_file, basic::htpasswd_file, or basic::username"
              + " and basic::password_file)");
      return null;
    }
    if (tokens != null) {
      return of(auth, "bearer_token_file", Kind.BEARER_TOKENS, tokens, "");
    }
    if (htpasswd != null) {
      return of(basic, "htpasswd_file", Kind.HTPASSWD, htpasswd, "");
    }
    if (username.isEmpty() || username.contains(":")) {
      basic.problem("username", "is missing or has a colon, which ends it (expected a name)");
      return null;
    }
    return of(basic, "password_file", Kind.PASSWORD, String.valueOf(password), username);
  }

  private static int countSet(@Nullable String... texts) {
    int set = 0;
    for (String text : texts) {
      set += text == null ? 0 : 1;
    }
    return set;
  }

  private static @Nullable AuthConfig of(
      Section section, String key, Kind kind, String file, String username) {
    try {
      AuthConfig config = new AuthConfig(kind, Path.of(file), username);
      var _ = CredentialSet.parse(config, CredentialFile.read(config.file()));
      return config;
    } catch (InvalidPathException e) {
      section.problem(key, "\"" + file + "\" is not a path (expected a file)");
    } catch (IOException e) {
      section.problem(key, String.valueOf(e.getMessage()));
    }
    return null;
  }
}
