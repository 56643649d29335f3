package io.spillway.tests.conformance;

/** What became of a test in this build; the later one outweighs. */
enum Result {
  PASSED("passed"),
  NOT_RUN("did not run"),
  FAILED("failed");

  private final String words;

  Result(String words) {
    this.words = words;
  }

  Result and(Result other) {
    return compareTo(other) > 0 ? this : other;
  }

  @Override
  public String toString() {
    return words;
  }
}
