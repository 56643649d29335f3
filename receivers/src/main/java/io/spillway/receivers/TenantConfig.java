package io.spillway.receivers;

import io.spillway.config.HeaderNames;
import io.spillway.config.Section;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the tenant of a request is found.
 *
 * @param from the first that says one counts
 * @param header in lower case; of use only with {@link Source#HEADER}
 * @param maxTenants that are metered by name
 */
public record TenantConfig(List<Source> from, String header, int maxTenants) {
  private static final String DEFAULT_HEADER = "x-tenant";

  /** Each is a row per route, signal and exporter in what is scraped. */
  private static final int DEFAULT_MAX_TENANTS = 100;

  private static final int MOST_TENANTS = 10_000;

  public TenantConfig {
    from = List.copyOf(from);
  }

  /** What says who sends. */
  public enum Source {
    /** A header of the request, which whoever may send can choose. */
    HEADER,
    /** The certificate that the sender proved to have. */
    CLIENT_CERTIFICATE
  }

  /** Reads {@code tenant}; null if it is not written. */
  static @Nullable TenantConfig read(Section otlp, boolean asksForCertificates) {
    boolean written = otlp.has("tenant");
    Section tenant = otlp.section("tenant");
    List<Source> from = sources(tenant);
    String header = tenant.string("header", DEFAULT_HEADER);
    int most = tenant.integer("max_tenants", DEFAULT_MAX_TENANTS, 1, MOST_TENANTS);
    if (!written) {
      return null;
    }
    if (from.contains(Source.HEADER)) {
      header = HeaderNames.check(tenant, "header", header);
    } else if (tenant.has("header")) {
      tenant.problem("header", "is for from: header alone (expected no header)");
    }
    if (from.contains(Source.CLIENT_CERTIFICATE) && !asksForCertificates) {
      tenant.problem(
          "from",
          "no listener asks for certificates (expected tls::client_ca_file of grpc or http, or"
              + " from: header)");
    }
    return new TenantConfig(from, header, most);
  }

  private static List<Source> sources(Section tenant) {
    List<Source> sources = new ArrayList<>();
    for (String name : tenant.strings("from")) {
      switch (name) {
        case "header" -> sources.add(Source.HEADER);
        case "client_certificate" -> sources.add(Source.CLIENT_CERTIFICATE);
        default ->
            tenant.problem(
                "from",
                "\"" + name + "\" (expected header, client_certificate, or a list of both)");
      }
    }
    return sources.isEmpty() ? List.of(Source.HEADER) : sources;
  }
}
