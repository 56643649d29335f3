package io.spillway.routing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GlobTest {
  @ParameterizedTest
  @CsvSource({
    "'', '', true",
    "'', a, false",
    "*, '', true",
    "*, anything, true",
    "pay*, payments, true",
    "pay*, repay, false",
    "*pay, repay, true",
    "a?c, abc, true",
    "a?c, ac, false",
    "a*b*c, aXbYbZc, true",
    "a*b*c, aXcYb, false",
    "*.vendor.example, ingest.vendor.example, true",
    "*.vendor.example, a.b.vendor.example, true",
    "*.vendor.example, vendor.example, false",
    "*.vendor.example, evilvendor.example, false",
    "*.vendor.example, ingest.vendor.example.evil, false",
    "Pay, pay, false",
    "a.c, abc, false",
    "**, x, true",
  })
  void matches_patternAndText_wholeText(String pattern, String text, boolean matches) {
    assertThat(new Glob(pattern).matches(text)).isEqualTo(matches);
  }
}
