package io.spillway.routing.policy;

import io.spillway.otlp.stage.DialPolicy.Scheme;
import java.net.URI;
import java.net.URISyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Where a redirect points, as far as it can be told; a sink may write anything.
 *
 * @param host in its one form; empty for a relative location, and for what is not a host
 * @param port 0 if it is not told
 */
record RedirectLocation(Scheme scheme, String host, int port) {
  /** Longer than any URL that a redirect means. */
  private static final int MAX_LENGTH = 2048;

  static RedirectLocation parse(String location, Scheme asked) {
    RedirectLocation unknown = new RedirectLocation(asked, "", 0);
    if (location.length() > MAX_LENGTH) {
      return unknown;
    }
    try {
      URI uri = new URI(location.strip());
      return uri.getHost() == null ? unknown : of(uri.getHost(), uri.getPort(), scheme(uri, asked));
    } catch (URISyntaxException | IllegalArgumentException e) {
      return unknown;
    }
  }

  private static RedirectLocation of(String host, int port, Scheme scheme) {
    int byDefault = scheme == Scheme.HTTPS ? 443 : 80;
    return new RedirectLocation(scheme, HostName.parse(host).text(), port < 0 ? byDefault : port);
  }

  private static Scheme scheme(URI uri, Scheme asked) {
    @Nullable String written = uri.getScheme();
    if (Scheme.HTTPS.label().equalsIgnoreCase(written)) {
      return Scheme.HTTPS;
    }
    return Scheme.HTTP.label().equalsIgnoreCase(written) ? Scheme.HTTP : asked;
  }
}
