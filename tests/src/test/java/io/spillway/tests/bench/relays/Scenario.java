package io.spillway.tests.bench.relays;

import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.receivers.Transport;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What all relays of a run are put to.
 *
 * @param transport in and out
 * @param in how requests are compressed when they arrive
 * @param out how they are to be sent on
 * @param batch items in a request
 * @param rate items a second; 0 for as many as the relay takes, negative for none at all
 * @param lanes routes, of which each gets its part of the requests
 */
record Scenario(
    Group group,
    Workload.Shape shape,
    Signal signal,
    Transport transport,
    Codec in,
    Codec out,
    int batch,
    int connections,
    long rate,
    int lanes) {

  /** What belongs together in the report. */
  enum Group {
    /** Saturation with large requests: three pairs of codecs, both protocols, three signals. */
    CODECS,
    /** Saturation with few to many items a request. */
    BATCHES,
    /** Fixed rates, and none. */
    RATES,
    /** Saturation over one to many connections. */
    CONNECTIONS,
    /** Saturation of one to many lanes. Spillway's own: no other relay has them. */
    LANES,
    /** As {@link #CODECS}, with requests of another kind. */
    HEAVY,
    /** Every pair of codecs, every batch, both protocols, all signals. Takes hours. */
    MATRIX,
    /** Courses: the sink goes away and comes back. */
    OUTAGE,
    /** As {@link #OUTAGE}; before the sink comes back, the relay is killed, and then restarted. */
    RESTART;

    /** Whether its scenarios are courses with a beginning and an end, not stretches. */
    boolean isCourse() {
      return this == OUTAGE || this == RESTART;
    }

    /** Whether it is measured if no group is asked for: those that take long are not. */
    boolean isDefault() {
      return this != MATRIX && !isCourse();
    }
  }

  static final int LARGE = 512;

  /** A configuration has no more, and a route has one lane of traces. */
  private static final int MOST_ROUTES = 64;

  private static final List<Signal> SIGNALS =
      Arrays.stream(Signal.values()).filter(Signal::isStable).toList();

  static List<Scenario> of(Group group) {
    List<Scenario> all = new ArrayList<>();
    switch (group) {
      case CODECS -> codecs(group, Workload.Shape.USUAL, all);
      case HEAVY -> codecs(group, Workload.Shape.HEAVY, all);
      case BATCHES -> {
        for (int batch : new int[] {1, 10, 100, LARGE}) {
          all.add(usual(group).batch(batch));
        }
      }
      case RATES -> {
        for (int rate : new int[] {-1, 1_000, 10_000, 50_000}) {
          all.add(usual(group).batch(100).rate(rate));
        }
      }
      case CONNECTIONS -> {
        for (int connections : new int[] {1, 10, 100}) {
          all.add(usual(group).batch(100).connections(connections));
        }
      }
      case LANES -> {
        for (int lanes : new int[] {1, 10, MOST_ROUTES}) {
          all.add(usual(group).lanes(lanes));
        }
      }
      case MATRIX -> matrix(all);
      case OUTAGE, RESTART -> all.add(usual(group).batch(100).rate(10_000));
    }
    return all;
  }

  private static void codecs(Group group, Workload.Shape shape, List<Scenario> all) {
    for (Signal signal : SIGNALS) {
      for (Transport transport : Transport.values()) {
        for (Codec[] pair :
            new Codec[][] {
              {Codec.NONE, Codec.NONE}, {Codec.NONE, Codec.ZSTD}, {Codec.GZIP, Codec.GZIP}
            }) {
          all.add(new Scenario(group, shape, signal, transport, pair[0], pair[1], LARGE, 4, 0, 1));
        }
      }
    }
  }

  private static void matrix(List<Scenario> all) {
    for (Signal signal : SIGNALS) {
      for (Transport transport : Transport.values()) {
        for (Codec in : Codec.values()) {
          for (Codec out : Codec.values()) {
            for (int batch : new int[] {1, 10, 100, LARGE}) {
              all.add(
                  new Scenario(
                      Group.MATRIX,
                      Workload.Shape.USUAL,
                      signal,
                      transport,
                      in,
                      out,
                      batch,
                      4,
                      0,
                      1));
            }
          }
        }
      }
    }
  }

  private static Scenario usual(Group group) {
    return new Scenario(
        group,
        Workload.Shape.USUAL,
        Signal.TRACES,
        Transport.GRPC,
        Codec.NONE,
        Codec.ZSTD,
        LARGE,
        4,
        0,
        1);
  }

  private Scenario batch(int items) {
    return new Scenario(group, shape, signal, transport, in, out, items, connections, rate, lanes);
  }

  private Scenario rate(long items) {
    return new Scenario(group, shape, signal, transport, in, out, batch, connections, items, lanes);
  }

  private Scenario connections(int count) {
    return new Scenario(group, shape, signal, transport, in, out, batch, count, rate, lanes);
  }

  private Scenario lanes(int count) {
    return new Scenario(group, shape, signal, transport, in, out, batch, connections, rate, count);
  }

  String load() {
    return rate < 0 ? "idle" : rate == 0 ? "saturation" : String.format(Locale.ROOT, "%,d/s", rate);
  }

  /** For people, and different for every scenario. */
  String title() {
    return "%s%s, %s, %s to %s, %d a request, %d connection%s, %s%s"
        .formatted(
            shape == Workload.Shape.HEAVY ? "heavy " : "",
            signal.label(),
            transport == Transport.GRPC ? "gRPC" : "HTTP",
            RelayBenchmark.name(in),
            RelayBenchmark.name(out),
            batch,
            connections,
            connections == 1 ? "" : "s",
            load(),
            lanes == 1 ? "" : ", " + lanes + " lanes");
  }
}
