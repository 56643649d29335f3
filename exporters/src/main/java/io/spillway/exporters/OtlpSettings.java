package io.spillway.exporters;

import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.stage.RetrySettings;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What both OTLP exporters have in common.
 *
 * @param timeout of one attempt, name resolution and connecting included
 * @param maxRequestBytes the largest request, uncompressed
 * @param plaintextAllowed whether it may send unencrypted to other machines
 * @param costPerGib of wire bytes; 0 if not given
 * @param probeInterval without an attempt, until an empty request is sent; zero for never
 */
record OtlpSettings(
    String id,
    Codec codec,
    GzipPassthrough gzipPassthrough,
    Headers headers,
    TlsConfig tls,
    Duration timeout,
    RetrySettings retry,
    int maxRequestBytes,
    @Nullable String region,
    boolean plaintextAllowed,
    double costPerGib,
    SinkConfig sink,
    LinkConfig link,
    Duration probeInterval) {

  /** These places, those where it authenticates, and the proxy on the way to them. */
  List<ExporterConfig.Destination> allDestinations(Stream<ExporterConfig.Destination> places) {
    ProxyAddress proxy = link.proxy();
    return Stream.of(
            places,
            sink.auth().destinations().stream(),
            proxy == null
                ? Stream.<ExporterConfig.Destination>empty()
                : Stream.of(proxy.destination()))
        .flatMap(Function.identity())
        .distinct()
        .toList();
  }
}
