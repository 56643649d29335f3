package io.spillway.receivers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The credentials that a listener takes, as digests. Every entry is compared with what a sender
 * shows, each in constant time, so that the time of a refusal tells nothing about them. Immutable;
 * never printed.
 */
final class CredentialSet {
  /** A request is compared with all of them. */
  static final int MAX_ENTRIES = 1000;

  private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e]+");
  private static final String SHA = "{SHA}";
  private static final String SHA_1 = "SHA-1";
  private static final String SHA_256 = "SHA-256";

  private final String scheme;
  private final List<Entry> entries;

  /** The digest of a user, empty with tokens, and of a secret after it. */
  private static final class Entry {
    private final String algorithm;
    private final byte[] digests;

    Entry(String user, String algorithm, byte[] secretDigest) {
      this.algorithm = algorithm;
      this.digests = joined(digest(SHA_256, user), secretDigest);
    }
  }

  private CredentialSet(String scheme, List<Entry> entries) {
    this.scheme = scheme;
    this.entries = List.copyOf(entries);
  }

  /**
   * Reads what stands in a file.
   *
   * @throws IOException saying what is wrong with which line, without what stands in it
   */
  static CredentialSet parse(AuthConfig config, String text) throws IOException {
    List<Entry> entries = new ArrayList<>();
    if (config.kind() == AuthConfig.Kind.PASSWORD) {
      if (!text.isBlank()) {
        entries.add(entry(config.username(), text.strip()));
      }
    } else {
      int number = 0;
      for (String line : text.lines().toList()) {
        number++;
        if (!line.isBlank() && !line.startsWith("#")) {
          entries.add(entry(config, number, line.strip()));
        }
      }
    }
    if (entries.isEmpty() || entries.size() > MAX_ENTRIES) {
      throw new IOException(
          config.file()
              + " holds "
              + entries.size()
              + " credentials (expected 1 to "
              + MAX_ENTRIES
              + ", one per line)");
    }
    return new CredentialSet(
        config.kind() == AuthConfig.Kind.BEARER_TOKENS ? "Bearer" : "Basic", entries);
  }

  private static Entry entry(AuthConfig config, int number, String line) throws IOException {
    if (config.kind() == AuthConfig.Kind.BEARER_TOKENS) {
      if (!TOKEN.matcher(line).matches()) {
        throw badLine(config, number, "a token of printable ASCII without spaces");
      }
      return entry("", line);
    }
    int colon = line.indexOf(':');
    String hash = line.substring(colon + 1);
    if (colon < 1 || hash.isEmpty() || hash.startsWith("$")) {
      throw badLine(
          config, number, "user:password or user:{SHA}hash; bcrypt and apr1 are not read");
    }
    if (!hash.startsWith(SHA)) {
      return entry(line.substring(0, colon), hash);
    }
    try {
      byte[] secret = Base64.getDecoder().decode(hash.substring(SHA.length()));
      return new Entry(line.substring(0, colon), SHA_1, secret);
    } catch (IllegalArgumentException e) {
      throw badLine(config, number, "a SHA-1 in Base64 after {SHA}");
    }
  }

  private static Entry entry(String user, String secret) {
    return new Entry(user, SHA_256, digest(SHA_256, secret));
  }

  private static IOException badLine(AuthConfig config, int number, String expected) {
    return new IOException(
        config.file() + " line " + number + " is no credential (expected " + expected + ")");
  }

  /** RFC 9110 §11.6.1: what a sender without credentials is told. */
  String challenge() {
    return scheme + " realm=\"spillway\"";
  }

  /** Whether the value of a sender's Authorization header is among them. */
  boolean accepts(@Nullable String authorization) {
    if (authorization == null) {
      return false;
    }
    int space = authorization.indexOf(' ');
    if (space < 0 || !authorization.substring(0, space).equalsIgnoreCase(scheme)) {
      return false;
    }
    String shown = authorization.substring(space + 1).strip();
    if (scheme.equals("Bearer")) {
      return accepts("", shown);
    }
    String both;
    try {
      both = new String(Base64.getDecoder().decode(shown), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return false;
    }
    int colon = both.indexOf(':');
    return colon >= 0 && accepts(both.substring(0, colon), both.substring(colon + 1));
  }

  private boolean accepts(String user, String secret) {
    byte[] shownUser = digest(SHA_256, user);
    byte[] sha256 = joined(shownUser, digest(SHA_256, secret));
    byte[] sha1 = joined(shownUser, digest(SHA_1, secret));
    boolean found = false;
    for (Entry entry : entries) {
      found |= MessageDigest.isEqual(entry.digests, entry.algorithm.equals(SHA_1) ? sha1 : sha256);
    }
    return found;
  }

  private static byte[] joined(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private static byte[] digest(String algorithm, String text) {
    try {
      return MessageDigest.getInstance(algorithm).digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(algorithm + " is part of every JDK", e);
    }
  }

  @Override
  public String toString() {
    return scheme.toLowerCase(Locale.ROOT) + "[" + entries.size() + "]";
  }
}
