package io.spillway.tests.conformance;

import java.util.List;

/**
 * A test that says which statements it shows.
 *
 * @param className full name of its class
 * @param method name of its method
 * @param tagged whether a tag ({@code long}, {@code containers}) keeps it out of the default build
 */
record Mark(List<String> ids, String className, String method, boolean tagged) {

  String simpleClassName() {
    return className.substring(className.lastIndexOf('.') + 1);
  }
}
