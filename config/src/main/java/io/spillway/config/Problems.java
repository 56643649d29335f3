package io.spillway.config;

import java.util.ArrayList;
import java.util.List;

/** Collects what is wrong with a configuration, so that all of it is reported at once. */
public final class Problems {
  private final List<Problem> problems = new ArrayList<>();

  /**
   * @param path {@code exporters::otlp_grpc/eu::timeout}
   * @param message what is wrong, with the value and what was expected
   */
  public void add(String path, String message) {
    Problem problem = new Problem(path, message);
    if (!problems.contains(problem)) {
      problems.add(problem);
    }
  }

  public boolean isEmpty() {
    return problems.isEmpty();
  }

  public List<Problem> all() {
    return List.copyOf(problems);
  }

  /** One thing that is wrong, and where. */
  public record Problem(String path, String message) {
    @Override
    public String toString() {
      return path + ": " + message;
    }
  }
}
