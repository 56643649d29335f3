package io.spillway.routing.gate;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Sender;
import io.spillway.otlp.wire.Flaw;
import io.spillway.otlp.wire.RequestScanner;
import io.spillway.otlp.wire.RequestSplitter;
import io.spillway.otlp.wire.RequestSplitter.Part;
import io.spillway.otlp.wire.TraceSampler;
import io.spillway.routing.egress.OverQuota;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Works out what each lane gets of a request: scans, matches, slices, samples, splits. Keeps state
 * between requests to save garbage and belongs to one thread; stores nothing.
 *
 * <p>A lane that every resource with items goes to gets the request as it is. Any other gets the
 * records of its resources and all that belongs to no resource in a new array. Resources without
 * items go along with a whole request and are left out of a slice.
 */
final class RequestPlanner {
  /** Room for resources that is kept between requests. */
  private static final int KEPT_RESOURCES = 4096;

  private final RequestScanner scanner = new RequestScanner();
  private final RouteTables tables;
  private final Map<Signal, RouteTable.Matcher> matchers = new EnumMap<>(Signal.class);
  private final @Nullable TraceSampler[] samplers;

  /** What takes the place of {@link #samplers} while a quota is used up; made when first needed. */
  private final @Nullable QuotaSampler[] quotaSamplers;

  private final List<RouteSettings> settings;
  private long[] routesOf = new long[16];

  RequestPlanner(List<RouteSettings> routes, RouteTables tables) {
    this.tables = tables;
    this.settings = routes;
    this.quotaSamplers = new @Nullable QuotaSampler[routes.size()];
    this.samplers = new @Nullable TraceSampler[routes.size()];
    for (int i = 0; i < samplers.length; i++) {
      samplers[i] = sampler(routes.get(i).sampling());
    }
  }

  private record QuotaSampler(double percentage, TraceSampler sampler) {}

  /** The stricter of the route's own percentage and the quota's, with the route's rules. */
  private @Nullable TraceSampler sampler(int route, LaneId lane, String tenant, IntakeLimit limit) {
    if (lane.signal() != Signal.TRACES) {
      return null;
    }
    if (!(limit.of(lane, tenant) instanceof OverQuota.Sample(double percentage))) {
      return samplers[route];
    }
    QuotaSampler known = quotaSamplers[route];
    if (known == null || known.percentage != percentage) {
      SamplingSettings own = settings.get(route).sampling();
      TraceSampler sampler =
          own == null
              ? new TraceSampler(percentage, false, null)
              : new TraceSampler(
                  Math.min(percentage, own.percentage()), own.keepErrors(), own.keepSlowerThan());
      known = new QuotaSampler(percentage, sampler);
      quotaSamplers[route] = known;
    }
    return known.sampler;
  }

  private static @Nullable TraceSampler sampler(@Nullable SamplingSettings sampling) {
    return sampling == null
        ? null
        : new TraceSampler(sampling.percentage(), sampling.keepErrors(), sampling.keepSlowerThan());
  }

  /** Scans a request and says how many items are in it. */
  int scan(Signal signal, Slice request) throws MalformedRequestException {
    scanner.inspect(signal, request);
    return scanner.items();
  }

  /** What strict sinks would refuse the request for that was scanned last; null as a rule. */
  @Nullable Flaw flaw() {
    return scanner.flaw();
  }

  /**
   * What each lane gets of the request that was scanned last, which must have items.
   *
   * @param limit says which traces lanes are sampled for a quota
   * @return empty if there is a resource with items that no route takes
   * @throws PayloadTooLargeException if a single item is larger than a lane takes, or a request
   *     that cannot be cut
   */
  List<Delivery> plan(Signal signal, Slice request, Sender sender, IntakeLimit limit)
      throws PayloadTooLargeException {
    long some = 0;
    long all = -1;
    int resources = scanner.resources();
    RouteTable.Matcher matcher =
        matchers.computeIfAbsent(signal, known -> tables.open(known).matcher());
    matcher.begin(sender);
    routesOf = routesOf.length < resources ? new long[resources] : routesOf;
    for (int i = 0; i < resources; i++) {
      routesOf[i] = 0;
      if (scanner.items(i) > 0) {
        routesOf[i] = matcher.routes(scanner, i);
        if (routesOf[i] == 0) {
          return List.of();
        }
        some |= routesOf[i];
        all &= routesOf[i];
      }
    }
    Slice otherFields = some == all ? Slice.EMPTY : scanner.otherFields();
    List<Delivery> deliveries = new ArrayList<>(Long.bitCount(some));
    for (long left = some; left != 0; left &= left - 1) {
      int route = Long.numberOfTrailingZeros(left);
      boolean whole = (all & (1L << route)) != 0;
      Part part = whole ? new Part(request, scanner.items()) : slice(1L << route, otherFields);
      Lane lane = matcher.lane(route);
      deliveries.add(
          deliver(signal, lane, sampler(route, lane.id(), sender.tenant(), limit), part));
    }
    return deliveries;
  }

  /** Forgets the request, so that an idle thread does not keep its array alive. */
  void release() {
    if (routesOf.length > KEPT_RESOURCES) {
      routesOf = new long[KEPT_RESOURCES];
    }
    try {
      scanner.scan(Signal.TRACES, Slice.EMPTY);
    } catch (MalformedRequestException e) {
      throw new AssertionError("an empty request is valid", e);
    }
  }

  private Part slice(long route, Slice otherFields) {
    int length = otherFields.length();
    int items = 0;
    for (int i = 0; i < scanner.resources(); i++) {
      if ((routesOf[i] & route) != 0) {
        length += scanner.resource(i).length();
        items += scanner.items(i);
      }
    }
    byte[] bytes = new byte[length];
    int filled = 0;
    for (int i = 0; i < scanner.resources(); i++) {
      if ((routesOf[i] & route) != 0) {
        filled = scanner.resource(i).copyTo(bytes, filled);
      }
    }
    otherFields.copyTo(bytes, filled);
    return new Part(Slice.of(bytes), items);
  }

  private static Delivery deliver(
      Signal signal, Lane lane, @Nullable TraceSampler sampler, Part part)
      throws PayloadTooLargeException {
    if (sampler == null) {
      return new Delivery(lane, split(signal, part, lane), 0);
    }
    TraceSampler.Sampled sampled = sampler.sample(part.request());
    Part kept =
        sampled.kept() == 0
            ? new Part(Slice.EMPTY, 0)
            : new Part(sampled.request(), sampled.kept());
    return new Delivery(lane, split(signal, kept, lane), sampled.sampledOut());
  }

  private static List<Part> split(Signal signal, Part part, Lane lane)
      throws PayloadTooLargeException {
    return part.request().length() <= lane.maxAppendBytes()
        ? List.of(part)
        : RequestSplitter.split(signal, part.request(), lane.maxAppendBytes());
  }
}
