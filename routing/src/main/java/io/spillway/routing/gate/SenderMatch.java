package io.spillway.routing.gate;

import io.spillway.config.HeaderNames;
import io.spillway.config.Section;
import io.spillway.otlp.stage.Sender;
import io.spillway.routing.Glob;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Whose requests a route takes.
 *
 * @param tenant patterns of which one must match; none for any tenant and none
 * @param headers by name in lower case: patterns of which one must match; a request without the
 *     header does not match
 */
public record SenderMatch(List<Glob> tenant, Map<String, List<Glob>> headers) {
  /** Takes those of anybody. */
  static final SenderMatch ANYBODY = new SenderMatch(List.of(), Map.of());

  public SenderMatch {
    tenant = List.copyOf(tenant);
    headers = Collections.unmodifiableMap(new LinkedHashMap<>(headers));
  }

  static SenderMatch read(Section match) {
    List<Glob> tenant = match.has("tenant") ? RouteConfig.globs(match, "tenant") : List.of();
    Section headers = match.section("headers");
    Map<String, List<Glob>> patterns = new LinkedHashMap<>();
    for (String key : headers.keys()) {
      patterns.put(HeaderNames.check(headers, key, key), RouteConfig.globs(headers, key));
    }
    return new SenderMatch(tenant, patterns);
  }

  boolean isAnybody() {
    return tenant.isEmpty() && headers.isEmpty();
  }

  boolean matches(Sender sender) {
    if (!tenant.isEmpty() && !any(tenant, sender.tenant())) {
      return false;
    }
    for (Map.Entry<String, List<Glob>> header : headers.entrySet()) {
      String value = sender.header(header.getKey());
      if (value == null || !any(header.getValue(), value)) {
        return false;
      }
    }
    return true;
  }

  private static boolean any(List<Glob> globs, String text) {
    for (Glob glob : globs) {
      if (glob.matches(text)) {
        return true;
      }
    }
    return false;
  }
}
