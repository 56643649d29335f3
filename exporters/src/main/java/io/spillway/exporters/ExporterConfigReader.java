package io.spillway.exporters;

import io.spillway.config.Section;
import io.spillway.config.Suggestions;
import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.RetrySettings;
import io.spillway.otlp.tls.TlsConfigException;
import io.spillway.otlp.tls.TlsFiles;
import io.spillway.otlp.tls.TlsVersion;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads {@code exporters}. Keys are the Collector's wherever it has one. */
final class ExporterConfigReader {
  private static final Pattern ID = Pattern.compile("[^/]+(/[A-Za-z0-9._-]+)?");
  private static final List<String> TYPES = List.of("otlp_grpc", "otlp_http", "file", "debug");
  private static final Pattern HEADER_NAME = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+");
  private static final Pattern HEADER_VALUE = Pattern.compile("[\\x20-\\x7e]*");
  private static final Pattern ZERO_DURATION = Pattern.compile("0+(ms|s|m|h|d)?");

  /** What the exporter itself sets; a second value would break the request. */
  private static final Set<String> OWN_HEADERS =
      Set.of(
          "connection",
          "content-encoding",
          "content-length",
          "content-type",
          "host",
          "te",
          "transfer-encoding",
          "user-agent");

  private static final int MIN_REQUEST_BYTES = 1024;
  private static final int DEFAULT_REQUEST_BYTES = 4 << 20;

  /** OTLP §OTLP/gRPC Request size: the most that a server takes by default. */
  private static final int MAX_REQUEST_BYTES = 64 << 20;

  private static final Duration DEFAULT_PROBE_INTERVAL = Duration.ofMinutes(1);
  private static final Duration MIN_PROBE_INTERVAL = Duration.ofSeconds(1);
  private static final Duration MAX_PROBE_INTERVAL = Duration.ofDays(1);

  private static final Duration MIN_RELOAD = Duration.ofMillis(100);

  private ExporterConfigReader() {}

  static Map<String, ExporterConfig> readAll(Section root) {
    Map<String, ExporterConfig> configs = new LinkedHashMap<>();
    root.children("exporters")
        .forEach(
            (id, section) -> {
              ExporterConfig config = read(id, section);
              if (config != null) {
                configs.put(id, config);
              }
            });
    return configs;
  }

  private static @Nullable ExporterConfig read(String id, Section section) {
    if (!ID.matcher(id).matches()) {
      section.problem(
          "", "\"" + id + "\" is not an exporter id (expected type or type/name, as otlp_grpc/eu)");
      return null;
    }
    String type = id.contains("/") ? id.substring(0, id.indexOf('/')) : id;
    return switch (type) {
      case "otlp_grpc", "otlp" -> readGrpc(id, section);
      case "otlp_http", "otlphttp" -> readHttp(id, section);
      case "file" -> FileConfig.read(id, section);
      case "debug" ->
          new DebugConfig(
              id,
              section.choice(
                  "verbosity", DebugConfig.Verbosity.class, DebugConfig.Verbosity.BASIC));
      default -> unknownType(type, section);
    };
  }

  private static @Nullable ExporterConfig unknownType(String type, Section section) {
    section.problem(
        "",
        "there is no exporter type \""
            + type
            + "\" (expected one of "
            + String.join(", ", TYPES)
            + ")"
            + Suggestions.didYouMean(type, TYPES));
    section.keys().forEach(section::has); // one problem is enough: its keys are not unknown too
    return null;
  }

  private static @Nullable ExporterConfig readGrpc(String id, Section section) {
    Section tls = section.section("tls");
    boolean insecure = tls.bool("insecure", false);
    OtlpSettings otlp = readOtlp(id, section, tls, false);
    checkGrpcNames(section, "headers", otlp.headers().values().keySet());
    checkGrpcNames(section, "header_files", otlp.sink().auth().headers().keySet());
    Endpoint endpoint =
        endpoint(section, "endpoint", text -> Endpoint.parseGrpc(text, insecure), true);
    if (endpoint == null) {
      return null;
    }
    checkTls(tls, otlp.tls(), insecure, List.of(endpoint));
    checkProxied(section, otlp, List.of(endpoint));
    return new OtlpGrpcConfig(otlp, endpoint);
  }

  private static void checkGrpcNames(Section section, String key, Set<String> names) {
    for (String name : names) {
      String lower = name.toLowerCase(Locale.ROOT);
      if (lower.startsWith("grpc-") || lower.endsWith("-bin")) {
        section.problem(
            key, name + " is a name that gRPC keeps for itself (expected another name)");
      }
    }
  }

  private static @Nullable ExporterConfig readHttp(String id, Section section) {
    Section tls = section.section("tls");
    boolean insecure = tls.bool("insecure", false);
    OtlpSettings otlp = readOtlp(id, section, tls, true);
    Map<Signal, Endpoint> endpoints = new EnumMap<>(Signal.class);
    for (Signal signal : Signal.values()) {
      String key = signal.label() + "_endpoint";
      Endpoint own = endpoint(section, key, Endpoint::parseUrl, false);
      if (own != null) {
        endpoints.put(signal, own);
      }
    }
    // A sink that knows nothing of a signal in development needs no endpoint of it.
    boolean every =
        Arrays.stream(Signal.values())
            .filter(Signal::isStable)
            .allMatch(signal -> section.has(signal.label() + "_endpoint"));
    Endpoint base = endpoint(section, "endpoint", Endpoint::parseUrl, !every);
    if (base != null) {
      for (Signal signal : Signal.values()) {
        endpoints.putIfAbsent(signal, base.below(signal.httpPath()));
      }
    }
    if (endpoints.isEmpty()) {
      return null;
    }
    checkTls(tls, otlp.tls(), insecure, List.copyOf(endpoints.values()));
    checkProxied(section, otlp, List.copyOf(endpoints.values()));
    return new OtlpHttpConfig(otlp, endpoints);
  }

  private static @Nullable Endpoint endpoint(
      Section section, String key, Function<String, Endpoint> parse, boolean required) {
    String text = required ? section.requiredString(key) : section.optionalString(key);
    if (text == null || text.isEmpty()) {
      return null;
    }
    try {
      return parse.apply(text.trim());
    } catch (IllegalArgumentException e) {
      section.problem(key, shown(text) + " " + e.getMessage());
      return null;
    }
  }

  /** Whatever the host is called: the way to the proxy leads over the network. */
  private static void checkProxied(Section section, OtlpSettings otlp, List<Endpoint> endpoints) {
    if (otlp.link().proxy() != null
        && !otlp.plaintextAllowed()
        && endpoints.stream().anyMatch(Endpoint::plaintext)) {
      section.problem(
          "proxy_url",
          "leads a sink without TLS over the network (expected an https:// endpoint, or"
              + " dangerously_allow_plaintext: true)");
    }
  }

  /** The endpoint as a problem shows it: without what may be a password. */
  private static String shown(String endpoint) {
    return endpoint.contains("@") ? "the URL" : "\"" + endpoint + "\"";
  }

  private static OtlpSettings readOtlp(String id, Section section, Section tls, boolean http) {
    Codec codec = readCodec(section);
    return new OtlpSettings(
        id,
        codec,
        readPassthrough(section, codec),
        readHeaders(section),
        readTls(tls),
        section.duration(
            "timeout", Duration.ofSeconds(10), Duration.ofMillis(10), Duration.ofMinutes(10)),
        readRetry(section.section("retry_on_failure")),
        (int)
            section.bytes(
                "max_request_bytes", DEFAULT_REQUEST_BYTES, MIN_REQUEST_BYTES, MAX_REQUEST_BYTES),
        section.optionalString("region"),
        section.bool("dangerously_allow_plaintext", false),
        section.decimal("cost_per_gib", 0, 0, 1_000_000),
        SinkConfig.read(section),
        LinkConfig.read(section, http),
        readProbeInterval(section));
  }

  private static Duration readProbeInterval(Section section) {
    Duration interval =
        section.duration(
            "probe_interval", DEFAULT_PROBE_INTERVAL, Duration.ZERO, MAX_PROBE_INTERVAL);
    if (!interval.isZero() && interval.compareTo(MIN_PROBE_INTERVAL) < 0) {
      section.problem(
          "probe_interval",
          text(interval) + " is too short (expected 0 for no probes, or from 1s to 1d)");
    }
    return interval;
  }

  private static Codec readCodec(Section section) {
    String name = section.string("compression", "gzip");
    return switch (name) {
      case "gzip" -> Codec.GZIP;
      case "zstd" -> Codec.ZSTD;
      case "none" -> Codec.NONE;
      case "snappy" -> {
        section.problem(
            "compression",
            "snappy is not supported yet (expected gzip, zstd or none); gzip is what every OTLP"
                + " sink takes");
        yield Codec.GZIP;
      }
      default -> {
        section.problem("compression", "\"" + name + "\" (expected gzip, zstd or none)");
        yield Codec.GZIP;
      }
    };
  }

  private static GzipPassthrough readPassthrough(Section section, Codec codec) {
    GzipPassthrough passthrough =
        section.choice("gzip_passthrough", GzipPassthrough.class, GzipPassthrough.AUTO);
    if (passthrough == GzipPassthrough.ON && codec != Codec.GZIP) {
      section.problem(
          "gzip_passthrough",
          "on contradicts compression: "
              + section.string("compression", "gzip")
              + " (expected compression: gzip, or no gzip_passthrough)");
    }
    return passthrough;
  }

  private static Headers readHeaders(Section section) {
    Map<String, String> headers = section.stringMap("headers");
    headers.forEach(
        (name, value) -> {
          checkHeaderName(section, "headers", name);
          if (!HEADER_VALUE.matcher(value).matches()) {
            section.problem(
                "headers", "the value of " + name + " has characters other than printable ASCII");
          }
        });
    return new Headers(headers);
  }

  static void checkHeaderName(Section section, String key, String name) {
    if (!HEADER_NAME.matcher(name).matches()) {
      section.problem(key, "\"" + name + "\" is not a header name");
    } else if (OWN_HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
      section.problem(key, name + " is set by Spillway itself (expected other names)");
    }
  }

  static TlsConfig readTls(Section tls) {
    Path cert = path(tls, "cert_file");
    Path key = path(tls, "key_file");
    if ((cert == null) != (key == null)) {
      tls.problem(
          cert == null ? "cert_file" : "key_file",
          "is missing (expected cert_file and key_file together, or neither)");
    }
    return new TlsConfig(
        tls.bool("insecure_skip_verify", false),
        path(tls, "ca_file"),
        cert,
        key,
        tls.optionalString("server_name_override"),
        reloadInterval(tls),
        minVersion(tls));
  }

  private static Duration reloadInterval(Section tls) {
    String key = "reload_interval";
    Duration interval =
        tls.duration(key, TlsConfig.DEFAULT.reloadInterval(), Duration.ZERO, Duration.ofDays(1));
    if (interval.isPositive() && interval.compareTo(MIN_RELOAD) < 0) {
      tls.problem(key, text(interval) + " is too short (expected 0 for never, or >= 100ms)");
    }
    return interval;
  }

  private static TlsVersion minVersion(Section tls) {
    String text = tls.string("min_version", TlsConfig.DEFAULT.minVersion().text());
    TlsVersion version = TlsVersion.parse(text);
    if (version == null) {
      tls.problem("min_version", "\"" + text + "\" (expected 1.2 or 1.3)");
      return TlsConfig.DEFAULT.minVersion();
    }
    return version;
  }

  private static @Nullable Path path(Section tls, String key) {
    String text = tls.optionalString(key);
    try {
      return text == null || text.isEmpty() ? null : Path.of(text);
    } catch (InvalidPathException e) {
      tls.problem(key, "\"" + text + "\" is not a path (expected a PEM file)");
      return null;
    }
  }

  /** Reports what contradicts itself, and files that cannot be used. */
  static void checkTls(Section tls, TlsConfig config, boolean insecure, List<Endpoint> endpoints) {
    boolean encrypted = endpoints.stream().anyMatch(endpoint -> !endpoint.plaintext());
    if (encrypted && insecure) {
      tls.problem("insecure", "true contradicts an https:// endpoint (expected false, or http://)");
    }
    if (!encrypted) {
      if (config.isSet()) {
        tls.problem("", "is set, but the endpoint is not encrypted (expected https://, or no tls)");
      }
      return;
    }
    try {
      var _ =
          TlsContext.of(
              TlsFiles.read(config.paths()), config, TlsContext.Use.HTTP, HandshakeObserver.NONE);
    } catch (TlsConfigException e) {
      tls.problem(e.key(), e.text());
    }
  }

  private static RetrySettings readRetry(Section retry) {
    if (!retry.bool("enabled", true)) {
      retry.problem(
          "enabled",
          "false is not possible: Spillway keeps data until a sink takes it (see max_age)");
    }
    String giveUp = retry.optionalString("max_elapsed_time");
    if (giveUp != null && !ZERO_DURATION.matcher(giveUp).matches()) {
      retry.problem(
          "max_elapsed_time",
          giveUp
              + " (expected 0): Spillway never gives up by itself; buffer::max_age and"
              + " buffer::max_bytes bound what is kept");
    }
    RetrySettings defaults = RetrySettings.DEFAULT;
    Duration initial =
        retry.duration(
            "initial_interval",
            defaults.initialInterval(),
            Duration.ofMillis(1),
            Duration.ofHours(1));
    Duration max =
        retry.duration(
            "max_interval", defaults.maxInterval(), Duration.ofMillis(1), Duration.ofHours(24));
    if (max.compareTo(initial) < 0) {
      retry.problem(
          "max_interval",
          text(max)
              + " is below initial_interval "
              + text(initial)
              + " (expected >= "
              + text(initial)
              + ")");
      max = initial;
    }
    return new RetrySettings(
        initial,
        max,
        retry.decimal("multiplier", defaults.multiplier(), 1, 100),
        retry.decimal("randomization_factor", defaults.randomizationFactor(), 0, 1));
  }

  private static String text(Duration duration) {
    return duration.toMillis() % 1000 == 0
        ? duration.toSeconds() + "s"
        : duration.toMillis() + "ms";
  }
}
