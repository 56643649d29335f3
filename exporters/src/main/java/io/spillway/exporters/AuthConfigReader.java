package io.spillway.exporters;

import io.spillway.config.Section;
import io.spillway.exporters.AuthConfig.Form;
import io.spillway.exporters.AuthConfig.HeaderSecret;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads {@code header_files} and {@code auth} of an exporter. Files must be there and readable. */
final class AuthConfigReader {
  private static final List<String> KINDS =
      List.of("basic", "bearer_token", "bearer_token_file", "oauth2");
  private static final String AUTHORIZATION = "authorization";

  private final Section exporter;
  private final Section auth;

  private AuthConfigReader(Section exporter) {
    this.exporter = exporter;
    this.auth = exporter.section("auth");
  }

  static AuthConfig read(Section exporter) {
    return new AuthConfigReader(exporter).read();
  }

  private AuthConfig read() {
    Map<String, HeaderSecret> headers = headerFiles();
    List<String> kinds = KINDS.stream().filter(auth::has).toList();
    if (kinds.size() > 1) {
      auth.problem("", String.join(" and ", kinds) + " are set (expected one of them)");
    }
    if (!kinds.isEmpty()) {
      checkAuthorizationIsFree(headers.keySet());
    }
    HeaderSecret authorization = authorization();
    if (authorization != null) {
      headers.put(AUTHORIZATION, authorization);
    }
    return new AuthConfig(headers, auth.has("oauth2") ? oauth(auth.section("oauth2")) : null);
  }

  private Map<String, HeaderSecret> headerFiles() {
    Map<String, HeaderSecret> headers = new LinkedHashMap<>();
    Set<String> fixed = lowerCase(exporter.section("headers").keys());
    exporter
        .stringMap("header_files")
        .forEach(
            (name, file) -> {
              ExporterConfigReader.checkHeaderName(exporter, "header_files", name);
              if (fixed.contains(name.toLowerCase(Locale.ROOT))) {
                exporter.problem(
                    "header_files", name + " is in headers too (expected one of them)");
              }
              Secret secret = file(exporter, "header_files", file);
              if (secret != null) {
                headers.put(name, new HeaderSecret(Form.AS_IT_IS, "", secret));
              }
            });
    return headers;
  }

  private void checkAuthorizationIsFree(Set<String> fromFiles) {
    Set<String> names = lowerCase(exporter.section("headers").keys());
    names.addAll(lowerCase(fromFiles));
    if (names.contains(AUTHORIZATION)) {
      auth.problem("", "is set, and the header Authorization too (expected one of them)");
    }
  }

  private static Set<String> lowerCase(Iterable<String> names) {
    Set<String> lower = new TreeSet<>();
    names.forEach(name -> lower.add(name.toLowerCase(Locale.ROOT)));
    return lower;
  }

  private @Nullable HeaderSecret authorization() {
    if (auth.has("basic")) {
      Section basic = auth.section("basic");
      String username = basic.requiredString("username");
      if (username.contains(":")) {
        basic.problem("username", "has a colon, which ends it (expected none)");
      }
      Secret password = secret(basic, "password", true);
      return password == null ? null : new HeaderSecret(Form.BASIC, username, password);
    }
    Secret token = secret(auth, "bearer_token", false);
    return token == null ? null : new HeaderSecret(Form.BEARER, "", token);
  }

  private static @Nullable OAuthConfig oauth(Section oauth) {
    Secret id = secret(oauth, "client_id", true);
    Secret secret = secret(oauth, "client_secret", true);
    Endpoint tokenUrl = tokenUrl(oauth);
    Section tls = oauth.section("tls");
    TlsConfig trust = ExporterConfigReader.readTls(tls);
    List<String> scopes = oauth.strings("scopes");
    Map<String, String> params = oauth.stringMap("endpoint_params");
    Duration timeout =
        oauth.duration(
            "timeout", Duration.ofSeconds(5), Duration.ofMillis(10), Duration.ofMinutes(10));
    Duration buffer =
        oauth.duration("expiry_buffer", Duration.ofMinutes(5), Duration.ZERO, Duration.ofDays(1));
    if (id == null || secret == null || tokenUrl == null) {
      return null;
    }
    ExporterConfigReader.checkTls(tls, trust, tls.bool("insecure", false), List.of(tokenUrl));
    return new OAuthConfig(id, secret, tokenUrl, scopes, params, timeout, buffer, trust);
  }

  private static @Nullable Endpoint tokenUrl(Section oauth) {
    String text = oauth.requiredString("token_url");
    if (text.isEmpty()) {
      return null;
    }
    try {
      return Endpoint.parseUrl(text.trim());
    } catch (IllegalArgumentException e) {
      oauth.problem("token_url", String.valueOf(e.getMessage()));
      return null;
    }
  }

  /** A secret that is written, or stands in the file that {@code <key>_file} names. */
  private static @Nullable Secret secret(Section section, String key, boolean required) {
    String text = section.optionalString(key);
    String file = section.optionalString(key + "_file");
    if (text != null && file != null) {
      section.problem(key, "is set, and " + key + "_file too (expected one of them)");
    }
    if (file != null) {
      return file(section, key + "_file", file);
    }
    if (text == null) {
      if (required) {
        section.problem(key, "missing (expected " + key + " or " + key + "_file)");
      }
      return null;
    }
    if (!Secret.PRINTABLE.matcher(text).matches()) {
      section.problem(key, "is empty or has characters other than printable ASCII");
      return null;
    }
    return new Secret.Text(text);
  }

  private static @Nullable Secret file(Section section, String key, String file) {
    try {
      Secret secret = new Secret.File(Path.of(file));
      secret.read();
      return secret;
    } catch (InvalidPathException e) {
      section.problem(key, "\"" + file + "\" is not a path (expected a file)");
    } catch (IOException e) {
      section.problem(key, String.valueOf(e.getMessage()));
    }
    return null;
  }
}
