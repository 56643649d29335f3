package io.spillway.config;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Checks names of request headers that are read for what they say about the sender. Their values
 * end up in labels, files and logs, so headers that carry secrets cannot be named.
 */
public final class HeaderNames {
  private static final int MAX_LENGTH = 64;

  /** RFC 9110 §5.6.2, in lower case. */
  private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9a-z-]+");

  private static final Set<String> SECRETS =
      Set.of("authorization", "proxy-authorization", "cookie", "set-cookie");

  private static final Pattern SECRET =
      Pattern.compile(
          "(.*[-_.])?(api-?key|apikey|key|token|secret|password|passwd|auth|authorization"
              + "|credentials?|session|signature|bearer|jwt)([-_.].*)?");

  private HeaderNames() {}

  /**
   * The name in lower case; if it cannot be used, that is recorded as a problem.
   *
   * @param key of the section where it is written
   */
  public static String check(Section section, String key, String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    if (lower.length() > MAX_LENGTH || !TOKEN.matcher(lower).matches() || lower.endsWith("-bin")) {
      section.problem(
          key,
          "\""
              + name
              + "\" is not the name of a header with text (expected up to "
              + MAX_LENGTH
              + " characters of RFC 9110, such as x-tenant)");
    } else if (SECRETS.contains(lower) || SECRET.matcher(lower).matches()) {
      section.problem(
          key,
          "\""
              + name
              + "\" may carry a secret, and what is read here is stored and shown (expected a"
              + " header that only says who sends, such as x-tenant)");
    }
    return lower;
  }
}
