package io.spillway.receivers;

import io.spillway.config.Section;
import io.spillway.otlp.Signal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which path takes which signal (OTLP §OTLP/HTTP Request); paths are compared letter by letter.
 *
 * @param signals by path, in the order of the signals
 */
public record HttpPaths(Map<String, Signal> signals) {
  /** {@code /v1/traces} and so on. */
  static final HttpPaths DEFAULT = of(Signal::httpPath);

  private static final Pattern PATH = Pattern.compile("/[^\\s?#]*");

  /** Reads {@code traces_url_path} and its like. */
  static HttpPaths read(Section http) {
    Map<String, Signal> paths = new LinkedHashMap<>();
    for (Signal signal : Signal.values()) {
      String key = signal.label() + "_url_path";
      String path = http.string(key, signal.httpPath());
      if (!PATH.matcher(path).matches()) {
        http.problem(
            key,
            "\""
                + path
                + "\" is not a path (expected one that begins with / and has no ? and no #)");
      } else if (paths.putIfAbsent(path, signal) != null) {
        http.problem(
            key,
            "\""
                + path
                + "\" is the path of "
                + paths.get(path).label()
                + " too (expected one of its own)");
      }
    }
    return new HttpPaths(paths);
  }

  private static HttpPaths of(Function<Signal, String> path) {
    Map<String, Signal> paths = new LinkedHashMap<>();
    for (Signal signal : Signal.values()) {
      paths.put(path.apply(signal), signal);
    }
    return new HttpPaths(paths);
  }

  /** The signal of a request target, whatever its query; null if it is none of the paths. */
  @Nullable Signal signal(String target) {
    return signals.get(path(target));
  }

  /** All paths, for an error message. */
  String list() {
    List<String> paths = new ArrayList<>(signals.keySet());
    String last = paths.removeLast();
    return paths.isEmpty() ? last : String.join(", ", paths) + " or " + last;
  }

  /** The path of a request target, also of one in absolute form, without its query. */
  private static String path(String target) {
    int start = 0;
    int authority = target.indexOf("://");
    if (!target.startsWith("/") && authority > 0) {
      start = target.indexOf('/', authority + "://".length());
      if (start < 0) {
        return "/";
      }
    }
    int query = target.indexOf('?', start);
    return target.substring(start, query < 0 ? target.length() : query);
  }
}
