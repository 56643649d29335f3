package io.spillway.relay;

import io.spillway.config.Configuration;
import java.io.PrintWriter;

/** What a command says of a configuration before it goes on, or does not. */
final class ConfigReport {
  private ConfigReport() {}

  /** Prints what is not as it should be, and yet keeps nothing from running. */
  static void warn(RelayConfig config, PrintWriter err) {
    config.warnings().forEach(warning -> err.println("warning: " + warning));
    err.flush();
  }

  /** Prints the problems; whether there are any. */
  static boolean problems(Configuration configuration, PrintWriter err) {
    var problems = configuration.problems().all();
    problems.forEach(err::println);
    if (!problems.isEmpty()) {
      err.printf(
          "%d problem%s in the configuration.%n", problems.size(), problems.size() == 1 ? "" : "s");
    }
    err.flush();
    return !problems.isEmpty();
  }
}
