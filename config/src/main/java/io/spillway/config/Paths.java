package io.spillway.config;

/** Paths as problems name them: {@code exporters::otlp_grpc/eu::timeout}, {@code routes[0]}. */
final class Paths {
  private Paths() {}

  static String child(String parent, String key) {
    if (key.isEmpty()) {
      return parent;
    }
    return parent.isEmpty() ? key : parent + "::" + key;
  }

  static String element(String parent, int index) {
    return parent + "[" + index + "]";
  }
}
