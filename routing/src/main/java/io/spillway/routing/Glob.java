package io.spillway.routing;

/**
 * A pattern over a whole text: {@code *} stands for any run of characters, also none, {@code ?} for
 * exactly one; everything else, case included, for itself.
 */
public record Glob(String pattern) {

  /** Takes at most {@code pattern.length() * text.length()} steps and allocates nothing. */
  public boolean matches(String text) {
    int p = 0;
    int t = 0;
    int star = -1;
    int starText = 0;
    while (t < text.length()) {
      if (p < pattern.length() && pattern.charAt(p) == '*') {
        star = p++;
        starText = t;
      } else if (p < pattern.length()
          && (pattern.charAt(p) == '?' || pattern.charAt(p) == text.charAt(t))) {
        p++;
        t++;
      } else if (star >= 0) {
        // Let the last star take one character more.
        p = star + 1;
        t = ++starText;
      } else {
        return false;
      }
    }
    while (p < pattern.length() && pattern.charAt(p) == '*') {
      p++;
    }
    return p == pattern.length();
  }

  @Override
  public String toString() {
    return pattern;
  }
}
