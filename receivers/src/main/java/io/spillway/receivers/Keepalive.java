package io.spillway.receivers;

import io.grpc.netty.NettyServerBuilder;
import io.spillway.config.Section;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * How long gRPC connections are kept, and how often clients may ping; the keys are the Collector's.
 *
 * @param maxConnectionIdle until a connection without calls is closed; zero for never
 * @param maxConnectionAge until a connection is closed, give or take a tenth; zero for never
 * @param maxConnectionAgeGrace what its calls have left then; zero for as long as they take
 * @param time without a sign of life until we ping
 * @param timeout for the answer to that
 * @param minTime between two pings of a client; one that pings more often is disconnected
 * @param permitWithoutStream whether clients may ping without calls
 */
record Keepalive(
    Duration maxConnectionIdle,
    Duration maxConnectionAge,
    Duration maxConnectionAgeGrace,
    Duration time,
    Duration timeout,
    Duration minTime,
    boolean permitWithoutStream) {
  private static final Duration LONGEST = Duration.ofDays(365);

  /** Clients ping idle connections; gRPC's own default of five minutes would cut many off. */
  static final Keepalive DEFAULT =
      new Keepalive(
          Duration.ZERO,
          Duration.ZERO,
          Duration.ZERO,
          Duration.ofHours(2),
          Duration.ofSeconds(20),
          Duration.ofSeconds(10),
          true);

  static Keepalive read(Section protocol) {
    Section keepalive = protocol.section("keepalive");
    Section server = keepalive.section("server_parameters");
    Section enforcement = keepalive.section("enforcement_policy");
    return new Keepalive(
        server.duration("max_connection_idle", Duration.ZERO, Duration.ZERO, LONGEST),
        server.duration("max_connection_age", Duration.ZERO, Duration.ZERO, LONGEST),
        server.duration("max_connection_age_grace", Duration.ZERO, Duration.ZERO, LONGEST),
        server.duration("time", DEFAULT.time, Duration.ofSeconds(1), LONGEST),
        server.duration("timeout", DEFAULT.timeout, Duration.ofMillis(1), LONGEST),
        enforcement.duration("min_time", DEFAULT.minTime, Duration.ZERO, LONGEST),
        enforcement.bool("permit_without_stream", DEFAULT.permitWithoutStream));
  }

  void applyTo(NettyServerBuilder builder) {
    builder
        .keepAliveTime(time.toMillis(), TimeUnit.MILLISECONDS)
        .keepAliveTimeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
        .permitKeepAliveTime(minTime.toMillis(), TimeUnit.MILLISECONDS)
        .permitKeepAliveWithoutCalls(permitWithoutStream);
    if (maxConnectionIdle.isPositive()) {
      builder.maxConnectionIdle(maxConnectionIdle.toMillis(), TimeUnit.MILLISECONDS);
    }
    if (maxConnectionAge.isPositive()) {
      builder.maxConnectionAge(maxConnectionAge.toMillis(), TimeUnit.MILLISECONDS);
    }
    if (maxConnectionAgeGrace.isPositive()) {
      builder.maxConnectionAgeGrace(maxConnectionAgeGrace.toMillis(), TimeUnit.MILLISECONDS);
    }
  }
}
