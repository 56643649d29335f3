package io.spillway.routing.egress;

/**
 * Why some items are given up.
 *
 * @param exporter id of the exporter whose sink does not take them; empty if none was asked
 * @param words the sink's, where it had some
 */
record Verdict(String exporter, String words) {

  /** For a log line. */
  String text() {
    return exporter.isEmpty() ? words : exporter + ": " + words;
  }
}
