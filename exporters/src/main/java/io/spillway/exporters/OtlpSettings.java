package io.spillway.exporters;

import io.spillway.otlp.Codec;
import io.spillway.otlp.stage.RetrySettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What both OTLP exporters have in common.
 *
 * @param timeout of one attempt, name resolution and connecting included
 * @param maxRequestBytes the largest request, uncompressed
 * @param plaintextAllowed whether it may send unencrypted to other machines
 * @param costPerGib of wire bytes; 0 if not given
 */
record OtlpSettings(
    String id,
    Codec codec,
    Headers headers,
    TlsConfig tls,
    Duration timeout,
    RetrySettings retry,
    int maxRequestBytes,
    @Nullable String region,
    boolean plaintextAllowed,
    double costPerGib,
    SinkConfig sink,
    LinkConfig link) {

  /** These places, and the proxy on the way to them. */
  List<ExporterConfig.Destination> withProxy(List<ExporterConfig.Destination> places) {
    if (link.proxy() == null) {
      return places;
    }
    List<ExporterConfig.Destination> all = new ArrayList<>(places);
    all.add(link.proxy().destination());
    return all;
  }
}
