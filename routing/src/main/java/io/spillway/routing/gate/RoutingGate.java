package io.spillway.routing.gate;

import io.spillway.otlp.LogLimiter;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.Gate;
import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.stage.LaneId;
import io.spillway.otlp.stage.Sender;
import io.spillway.otlp.wire.Flaw;
import io.spillway.otlp.wire.RequestSplitter.Part;
import io.spillway.routing.egress.OverQuota;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
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

  private final RouteTables tables;
  private final ThreadLocal<RequestPlanner> planners;
  private final LogLimiter failures;
  private final IntakeLimit limit;
  private final ItemRule itemRule;
  private final Set<String> headers;

  /**
   * @param routes as read and validated by {@link RouteConfig}
   * @param lanes gives the open lane of every signal that can reach a route; those of signals in
   *     development are opened with their first request, on a thread that may wait
   * @throws IllegalArgumentException if a stable signal has no catch-all route or a lane is missing
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
    this(routes, lanes, limit, ItemRule.DEFAULT);
  }

  /** As above, with a rule for invalid items. */
  public RoutingGate(
      List<RouteSettings> routes,
      Function<LaneId, @Nullable Lane> lanes,
      IntakeLimit limit,
      ItemRule itemRule) {
    this(routes, lanes, limit, itemRule, System::nanoTime);
  }

  RoutingGate(
      List<RouteSettings> routes,
      Function<LaneId, @Nullable Lane> lanes,
      IntakeLimit limit,
      ItemRule itemRule,
      LongSupplier nanoClock) {
    this.limit = limit;
    this.itemRule = itemRule;
    List<RouteSettings> all = List.copyOf(routes);
    if (all.size() > RouteConfig.MAX_ROUTES) {
      throw new IllegalArgumentException("routes: more than " + RouteConfig.MAX_ROUTES);
    }
    this.headers =
        all.stream()
            .flatMap(route -> route.match().sender().headers().keySet().stream())
            .collect(Collectors.toUnmodifiableSet());
    this.tables = new RouteTables(all, lanes);
    this.planners = ThreadLocal.withInitial(() -> new RequestPlanner(all, tables));
    this.failures = new LogLimiter(nanoClock);
  }

  @Override
  public void submit(
      Signal signal, RequestBytes request, Sender sender, Consumer<? super Answer> answer) {
    if (tables.get(signal) == null) {
      // The first of its signal waits for the disk, which the caller's thread must not. There are
      // no more of these at once than the receivers admit.
      Thread.ofVirtual().name("open lanes").start(() -> take(signal, request, sender, answer));
    } else {
      take(signal, request, sender, answer);
    }
  }

  @Override
  public Set<String> headers() {
    return headers;
  }

  private void take(
      Signal signal, RequestBytes request, Sender sender, Consumer<? super Answer> answer) {
    Plan plan = plan(signal, request.plain(), sender);
    Consumer<? super Answer> receiver =
        plan.screened == null ? answer : plan.screened.reporting(signal, itemRule, answer);
    if (plan.answer != null) {
      answer(receiver, plan.answer);
    } else {
      append(plan, request, sender.tenant(), receiver);
    }
  }

  /** Decides everything that can be decided before anything is stored. */
  private Plan plan(Signal signal, Slice request, Sender sender) {
    int items = 0;
    RequestPlanner planner = planners.get();
    try {
      items = planner.scan(signal, request);
      if (items == 0) {
        return Plan.answered(new Answer.Accepted(0));
      }
      Flaw flaw = planner.flaw();
      return flaw == null
          ? admit(
              signal,
              sender,
              new Answer.Accepted(items),
              planner.plan(signal, request, sender, limit),
              null)
          : screen(planner, signal, request, sender, items, flaw);
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

  private Plan screen(
      RequestPlanner planner, Signal signal, Slice request, Sender sender, int items, Flaw flaw)
      throws MalformedRequestException, PayloadTooLargeException {
    Screened screened = Screened.of(signal, request, items, flaw, itemRule.handling());
    if (screened.isAllRejected()) {
      Answer.Accepted none = screened.success();
      return new Plan(none, List.of(), new Answer.Invalid(items, none.message()), screened);
    }
    if (screened.request() != request) {
      var _ = planner.scan(signal, screened.request());
    }
    return admit(
        signal,
        sender,
        screened.success(),
        planner.plan(signal, screened.request(), sender, limit),
        screened);
  }

  private Plan admit(
      Signal signal,
      Sender sender,
      Answer.Accepted success,
      List<Delivery> deliveries,
      @Nullable Screened screened) {
    if (deliveries.isEmpty()) {
      return Plan.answered(
          new Answer.NotServed(
              success.items(),
              "no route takes all "
                  + signal.label()
                  + " of this request. Nothing of it was stored; send them elsewhere, or configure"
                  + " a route without match.resource, headers or tenant for them."));
    }
    Lane.Refusal refusal = null;
    for (Delivery delivery : deliveries) {
      Lane.Refusal refused = refusal(delivery, sender.tenant());
      refusal = refused == null ? refusal : PendingAnswer.combine(refusal, refused);
    }
    return refusal == null
        ? new Plan(success, deliveries, null, screened)
        : Plan.answered(PendingAnswer.unavailable(success.items(), refusal));
  }

  private Lane.@Nullable Refusal refusal(Delivery delivery, String tenant) {
    if (limit.of(delivery.lane().id(), tenant)
        instanceof OverQuota.Refuse(Duration after, String reason)) {
      return new Lane.Refusal(after, reason);
    }
    return delivery.lane().refusal(delivery.bytes());
  }

  private void append(
      Plan plan, RequestBytes request, String tenant, Consumer<? super Answer> answer) {
    int appends = plan.deliveries.stream().mapToInt(delivery -> delivery.parts().size()).sum();
    PendingAnswer pending =
        new PendingAnswer(plan.success, appends, result -> answer(answer, result));
    for (Delivery delivery : plan.deliveries) {
      int sampledOut = delivery.sampledOut();
      for (Part part : delivery.parts()) {
        append(delivery.lane(), bytes(part, request), part.items(), sampledOut, tenant, pending);
        sampledOut = 0;
      }
    }
  }

  /** What was taken out of a request, or changed, is a slice of its own. */
  private static RequestBytes bytes(Part part, RequestBytes request) {
    return part.request() == request.plain() ? request : RequestBytes.of(part.request());
  }

  private void append(
      Lane lane,
      RequestBytes bytes,
      int items,
      int sampledOut,
      String tenant,
      PendingAnswer pending) {
    if (pending.isRefused()) {
      // The sender sends everything again: what is stored from here on would only arrive twice.
      pending.skip();
      return;
    }
    Lane.AppendCallback callback = pending.append();
    try {
      lane.append(bytes, items, sampledOut, tenant, callback);
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

  /**
   * Either the answer, or what is to be appended.
   *
   * @param success the answer once everything is appended
   * @param screened null if nothing was wrong with the request
   */
  private record Plan(
      Answer.Accepted success,
      List<Delivery> deliveries,
      @Nullable Answer answer,
      @Nullable Screened screened) {
    static Plan answered(Answer answer) {
      return new Plan(new Answer.Accepted(answer.items()), List.of(), answer, null);
    }
  }
}
