package io.spillway.routing.gate;

import io.spillway.otlp.LogLimiter;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.Gate;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.wire.RequestSplitter.Part;
import io.spillway.routing.egress.OverQuota;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gate of a set of routes. Immutable; a reload makes a new one.
 *
 * <p>Nothing is appended before the whole request is known to be valid and every lane it goes to
 * has room, and nothing is answered before all appends have ended. If an append is refused all the
 * same, the answer is unavailable: what other lanes have stored by then arrives twice when the
 * sender sends the request again, but nothing is lost. Any failure of Spillway itself is
 * unavailable too (OTLP §Failures: anything else would make the sender drop the data).
 */
public final class RoutingGate implements Gate {
  private static final Logger LOG = LoggerFactory.getLogger(RoutingGate.class);

  /** When to come back after a failure that should not happen. */
  private static final Duration RETRY_AFTER_FAILURE = Duration.ofSeconds(5);

  private final ThreadLocal<RequestPlanner> planners;
  private final LogLimiter failures;
  private final IntakeLimit limit;

  /**
   * @param routes as read and validated by {@link RouteConfig}
   * @param lanes gives the open lane of every signal that can reach a route
   * @throws IllegalArgumentException if a signal has no catch-all route or a lane is missing
   */
  public RoutingGate(List<RouteSettings> routes, Function<LaneId, @Nullable Lane> lanes) {
    this(routes, lanes, IntakeLimit.NONE);
  }

  /**
   * As above.
   *
   * @param limit asked for each lane before anything is stored
   */
  public RoutingGate(
      List<RouteSettings> routes, Function<LaneId, @Nullable Lane> lanes, IntakeLimit limit) {
    this(routes, lanes, limit, System::nanoTime);
  }

  RoutingGate(
      List<RouteSettings> routes,
      Function<LaneId, @Nullable Lane> lanes,
      IntakeLimit limit,
      LongSupplier nanoClock) {
    this.limit = limit;
    List<RouteSettings> all = List.copyOf(routes);
    if (all.size() > RouteConfig.MAX_ROUTES) {
      throw new IllegalArgumentException("routes: more than " + RouteConfig.MAX_ROUTES);
    }
    Map<Signal, RouteTable> tables = new EnumMap<>(Signal.class);
    for (Signal signal : Signal.values()) {
      tables.put(signal, new RouteTable(signal, all, lanes));
    }
    this.planners = ThreadLocal.withInitial(() -> new RequestPlanner(all, tables));
    this.failures = new LogLimiter(nanoClock);
  }

  @Override
  public void submit(Signal signal, Slice request, Consumer<? super Answer> answer) {
    Plan plan = plan(signal, request);
    if (plan.answer != null) {
      answer(answer, plan.answer);
    } else {
      append(plan, answer);
    }
  }

  /** Decides everything that can be decided before anything is stored. */
  private Plan plan(Signal signal, Slice request) {
    int items = 0;
    RequestPlanner planner = planners.get();
    try {
      items = planner.scan(signal, request);
      return items == 0
          ? Plan.answered(new Answer.Accepted(0))
          : admit(items, planner.plan(signal, request, limit));
    } catch (MalformedRequestException e) {
      return Plan.answered(new Answer.Invalid(Objects.toString(e.getMessage())));
    } catch (PayloadTooLargeException e) {
      return Plan.answered(new Answer.TooLarge(items, Objects.toString(e.getMessage())));
    } catch (RuntimeException | Error e) {
      logFailure("planning a request", e);
      return Plan.answered(PendingAnswer.unavailable(items, failure()));
    } finally {
      planner.release();
    }
  }

  private Plan admit(int items, List<Delivery> deliveries) {
    Lane.Refusal refusal = null;
    for (Delivery delivery : deliveries) {
      Lane.Refusal refused = refusal(delivery);
      refusal = refused == null ? refusal : PendingAnswer.combine(refusal, refused);
    }
    return refusal == null
        ? new Plan(items, deliveries, null)
        : Plan.answered(PendingAnswer.unavailable(items, refusal));
  }

  private Lane.@Nullable Refusal refusal(Delivery delivery) {
    if (limit.of(delivery.lane().id()) instanceof OverQuota.Refuse(Duration after, String reason)) {
      return new Lane.Refusal(after, reason);
    }
    return delivery.lane().refusal(delivery.bytes());
  }

  private void append(Plan plan, Consumer<? super Answer> answer) {
    int appends = plan.deliveries.stream().mapToInt(delivery -> delivery.parts().size()).sum();
    PendingAnswer pending =
        new PendingAnswer(plan.items, appends, result -> answer(answer, result));
    for (Delivery delivery : plan.deliveries) {
      int sampledOut = delivery.sampledOut();
      for (Part part : delivery.parts()) {
        append(delivery.lane(), part, sampledOut, pending);
        sampledOut = 0;
      }
    }
  }

  private void append(Lane lane, Part part, int sampledOut, PendingAnswer pending) {
    if (pending.isRefused()) {
      // The sender sends everything again: what is stored from here on would only arrive twice.
      pending.skip();
      return;
    }
    Lane.AppendCallback callback = pending.append();
    try {
      lane.append(part.request(), part.items(), sampledOut, callback);
    } catch (RuntimeException | Error e) {
      logFailure("appending to lane " + lane.id(), e);
      callback.refused(failure());
    }
  }

  /** An answer that cannot be delivered must not end the lane's thread. */
  private void answer(Consumer<? super Answer> receiver, Answer answer) {
    try {
      receiver.accept(answer);
    } catch (RuntimeException e) {
      logFailure("answering a request", e);
    }
  }

  private static Lane.Refusal failure() {
    return new Lane.Refusal(RETRY_AFTER_FAILURE, "internal error; see the log of Spillway");
  }

  private void logFailure(String doing, Throwable failure) {
    failures.log(
        suppressed ->
            LOG.error(
                "gate: failed while {} ({} more failures since the last line). Nothing is"
                    + " acknowledged that is not stored; the sender sends it again.",
                doing,
                suppressed,
                failure));
  }

  /** Either the answer, or what is to be appended. */
  private record Plan(int items, List<Delivery> deliveries, @Nullable Answer answer) {
    static Plan answered(Answer answer) {
      return new Plan(answer.items(), List.of(), answer);
    }
  }
}
