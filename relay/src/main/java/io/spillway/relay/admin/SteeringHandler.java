package io.spillway.relay.admin;

import com.sun.net.httpserver.HttpExchange;
import io.spillway.config.Durations;
import io.spillway.relay.admin.AdminServer.Body;
import io.spillway.relay.admin.AdminSteering.Done;
import io.spillway.relay.admin.AdminSteering.Refused;
import io.spillway.relay.admin.AdminSteering.Reply;
import io.spillway.relay.admin.AdminSteering.Unknown;
import io.spillway.relay.admin.AdminSteering.Wish;
import java.io.IOException;
import java.io.Serial;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers {@code POST /api/v1/routes/ROUTE/pin|release} and {@code POST
 * /api/v1/exporters/ID/pause|resume}; an exporter's id may contain a slash.
 */
final class SteeringHandler {
  static final String ROUTES = "/api/v1/routes/";
  static final String EXPORTERS = "/api/v1/exporters/";

  private static final Logger log = LoggerFactory.getLogger(SteeringHandler.class);
  private static final int MAX_CHARS = 200;
  private static final Duration MAX_FOR = Duration.ofDays(365);
  private static final Set<String> PARAMETERS = Set.of("exporter", "reason", "for", "by");

  private final AdminSteering steering;

  SteeringHandler(AdminSteering steering) {
    this.steering = steering;
  }

  /** Says what is wrong with a request, in words for whoever made it. */
  private static final class BadRequest extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    BadRequest(String message) {
      super(message, null, false, false);
    }
  }

  /** The answer to a request that may change something. */
  Body answer(HttpExchange exchange) {
    String path = exchange.getRequestURI().getPath();
    int slash = path.lastIndexOf('/');
    String verb = path.substring(slash + 1);
    String prefix = path.startsWith(ROUTES) ? ROUTES : EXPORTERS;
    String name = slash > prefix.length() ? path.substring(prefix.length(), slash) : "";
    try {
      Map<String, String> given = parameters(exchange.getRequestURI().getRawQuery());
      Wish wish = wish(exchange, given);
      return switch (prefix + verb) {
        case ROUTES + "pin" ->
            body(steering.pin(required(name), required(given.get("exporter")), wish));
        case ROUTES + "release" -> body(steering.release(required(name), wish));
        case EXPORTERS + "pause" -> body(steering.pause(required(name), wish));
        case EXPORTERS + "resume" -> body(steering.resume(required(name), wish));
        default -> usage(404);
      };
    } catch (BadRequest e) {
      return AdminServer.text(400, e.getMessage());
    } catch (IOException | RuntimeException e) {
      log.warn("admin: {} could not be done", path, e);
      return AdminServer.text(503, "nothing was changed: " + e.getMessage());
    }
  }

  private static Body body(Reply reply) {
    return switch (reply) {
      case Done(Map<String, Object> body) -> AdminServer.json(body);
      case Unknown(String why) -> AdminServer.text(404, why);
      case Refused(String why) -> AdminServer.text(409, why);
    };
  }

  private static Body usage(int status) {
    return AdminServer.text(
        status,
        "not found; there are POST "
            + ROUTES
            + "ROUTE/pin?exporter=ID, "
            + ROUTES
            + "ROUTE/release, "
            + EXPORTERS
            + "ID/pause and "
            + EXPORTERS
            + "ID/resume, each with reason=TEXT, for=30m and by=NAME if you like");
  }

  private static String required(@Nullable String value) throws BadRequest {
    if (value == null || value.isBlank()) {
      throw new BadRequest(usage(400).text().strip().replace("not found", "a name is missing"));
    }
    return value;
  }

  private static Wish wish(HttpExchange exchange, Map<String, String> given) throws BadRequest {
    String by = given.getOrDefault("by", "");
    String who = by.isBlank() ? exchange.getRemoteAddress().getAddress().getHostAddress() : by;
    return new Wish(clean(who), clean(given.getOrDefault("reason", "")), lasts(given.get("for")));
  }

  private static @Nullable Duration lasts(@Nullable String text) throws BadRequest {
    if (text == null || text.isBlank()) {
      return null;
    }
    Optional<Duration> lasts = Durations.parse(text.strip());
    if (lasts.isEmpty() || !lasts.get().isPositive() || lasts.get().compareTo(MAX_FOR) > 0) {
      throw new BadRequest(
          "for: \"%s\" (expected %s; above 0, at most 365d)"
              .formatted(clean(text), Durations.EXPECTED));
    }
    return lasts.get();
  }

  /** On one line, and not too long for one. */
  private static String clean(String text) {
    String line = text.strip().replaceAll("\\p{Cntrl}", " ");
    return line.length() > MAX_CHARS ? line.substring(0, MAX_CHARS) + "…" : line;
  }

  private static Map<String, String> parameters(@Nullable String query) throws BadRequest {
    Map<String, String> parameters = new HashMap<>();
    if (query == null || query.isEmpty()) {
      return parameters;
    }
    for (String pair : query.split("&", -1)) {
      int equals = pair.indexOf('=');
      String key = decoded(equals < 0 ? pair : pair.substring(0, equals));
      if (!PARAMETERS.contains(key)) {
        throw new BadRequest(
            "\"" + clean(key) + "\" is no parameter (expected exporter, reason, for or by)");
      }
      parameters.put(key, equals < 0 ? "" : decoded(pair.substring(equals + 1)));
    }
    return parameters;
  }

  private static String decoded(String text) throws BadRequest {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new BadRequest("\"" + clean(text) + "\" is not encoded as a query is");
    }
  }
}
