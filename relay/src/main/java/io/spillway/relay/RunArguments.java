package io.spillway.relay;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The arguments of {@code run}, where they are so plain that reading them takes no library. What is
 * not, such as {@code --help} or a mistake, is for {@link RunCommand}, which reads all.
 *
 * @param shutdownTimeout in seconds; empty for the default
 */
record RunArguments(List<Path> files, List<String> overrides, OptionalInt shutdownTimeout) {

  static final String VERB = "run";
  static final String CONFIG = "--config";
  static final String SET = "--set";
  static final String SHUTDOWN_TIMEOUT = "--shutdown-timeout";

  /** A number that surely fits an int. */
  private static final String FEW_DIGITS = "[0-9]{1,9}";

  /** The plain arguments in these; null if there is anything else among them. */
  static @Nullable RunArguments plain(String... args) {
    if (args.length == 0 || !args[0].equals(VERB)) {
      return null;
    }
    List<Path> files = new ArrayList<>();
    List<String> overrides = new ArrayList<>();
    OptionalInt timeout = OptionalInt.empty();
    for (int i = 1; i < args.length; i++) {
      int equals = args[i].indexOf('=');
      String name = equals < 0 ? args[i] : args[i].substring(0, equals);
      String value = equals >= 0 ? args[i].substring(equals + 1) : ++i < args.length ? args[i] : "";
      if (value.isEmpty() || "-@\"'".indexOf(value.charAt(0)) >= 0) {
        return null; // an option, a file of arguments, something quoted
      }
      if (name.equals(CONFIG)) {
        files.add(Path.of(value));
      } else if (name.equals(SET)) {
        overrides.add(value);
      } else if (name.equals(SHUTDOWN_TIMEOUT) && timeout.isEmpty() && value.matches(FEW_DIGITS)) {
        timeout = OptionalInt.of(Integer.parseInt(value));
      } else {
        return null;
      }
    }
    return new RunArguments(List.copyOf(files), List.copyOf(overrides), timeout);
  }

  /** Runs the relay until a signal stops it; the exit code. */
  int execute() {
    PrintWriter err = new PrintWriter(System.err, true, System.err.charset());
    try {
      return new RelayRun(new ConfigOptions(files, overrides), err)
          .run(shutdownTimeout.orElse(RelayRun.SHUTDOWN_TIMEOUT_SECONDS));
    } catch (Exception e) {
      e.printStackTrace(err);
      return 1;
    }
  }
}
