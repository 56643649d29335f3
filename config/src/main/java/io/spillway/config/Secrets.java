package io.spillway.config;

import java.util.Set;
import java.util.regex.Pattern;

/** Says which values must never be shown. */
final class Secrets {
  static final String REDACTED = "[REDACTED]";

  private static final Pattern SENSITIVE =
      Pattern.compile(
          "key|token|secret|passw(or)?d|authorization|credential", Pattern.CASE_INSENSITIVE);
  private static final Set<String> WHOLE = Set.of("headers", "endpoint_params");
  private static final Pattern USER_INFO = Pattern.compile("(?<=://)[^/?#\\s]*@");

  private Secrets() {}

  /**
   * Whether everything at and below {@code key} is a secret: header values, parameters for a token
   * endpoint, and keys named like one. The name of a file that holds a secret is none, nor is the
   * URL of that endpoint, and the name part of a component id such as {@code file/monkeys} says
   * nothing.
   */
  static boolean isSensitive(String key) {
    String type = key.split("/", 2)[0];
    return WHOLE.contains(key)
        || (SENSITIVE.matcher(type).find() && !key.endsWith("_file") && !key.equals("token_url"));
  }

  /** The text without the user and password of the URLs in it. */
  static String withoutUserInfo(String text) {
    return USER_INFO.matcher(text).replaceAll(REDACTED + "@");
  }
}
