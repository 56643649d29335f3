package io.spillway.tests.harness;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Senders of all kinds of telemetry that remember what they sent and what was acknowledged. Each
 * wire is driven by a thread of its own, which keeps a request until it is acknowledged, refused
 * for good, or the load is stopped.
 */
public final class Load implements AutoCloseable {

  private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final Map<Kind, Set<Long>> sent = new EnumMap<>(Kind.class);
  private final Map<Kind, Set<Long>> acknowledged = new EnumMap<>(Kind.class);
  private final AtomicLong attemptedItems = new AtomicLong();
  private final ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();
  private final ConcurrentHashMap<String, Integer> retries = new ConcurrentHashMap<>();
  private final AtomicLong nextId = new AtomicLong();
  private final List<Thread> threads = new ArrayList<>();
  private final List<Wire> wires;
  private final int itemsPerRequest;
  private final long pauseNanos;
  private final Map<String, String> attributes;
  private volatile boolean stopping;

  /**
   * Prepares the senders.
   *
   * @param wires the load owns and closes them
   * @param attributes resource attributes of all items
   * @param pauseMillis how long a sender rests after an acknowledged request
   */
  public Load(
      List<Wire> wires, Map<String, String> attributes, int itemsPerRequest, long pauseMillis) {
    this.wires = List.copyOf(wires);
    this.attributes = Map.copyOf(attributes);
    this.itemsPerRequest = itemsPerRequest;
    this.pauseNanos = TimeUnit.MILLISECONDS.toNanos(pauseMillis);
    for (Kind kind : Kind.values()) {
      sent.put(kind, ConcurrentHashMap.newKeySet());
      acknowledged.put(kind, ConcurrentHashMap.newKeySet());
    }
  }

  /** A load over gRPC and HTTP in all encodings. */
  public static Load mixed(RelayProcess relay, int itemsPerRequest, long pauseMillis) {
    List<Wire> wires = new ArrayList<>();
    for (Encoding encoding : Encoding.values()) {
      wires.add(new GrpcWire(relay::grpc, encoding));
      wires.add(new HttpWire(relay::http, encoding));
    }
    return new Load(wires, Map.of("service.name", "load"), itemsPerRequest, pauseMillis);
  }

  /** Lets the numbers of the items begin here, so that two loads do not send the same. */
  public Load from(long firstId) {
    nextId.set(firstId);
    return this;
  }

  public Load start() {
    for (Wire wire : wires) {
      threads.add(Thread.ofPlatform().name("load").daemon().start(() -> drive(wire)));
    }
    return this;
  }

  /** Ends all senders after their present attempt; what they hold then stays unacknowledged. */
  public void stop() {
    stopping = true;
    for (Thread thread : threads) {
      try {
        thread.join(30_000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Numbers of the items that were put on a wire at least once. */
  public Set<Long> sent(Kind kind) {
    return new HashSet<>(sent.get(kind));
  }

  /** Numbers of the items that the relay took over. */
  public Set<Long> acknowledged(Kind kind) {
    return new HashSet<>(acknowledged.get(kind));
  }

  public long acknowledged() {
    return acknowledged.values().stream().mapToLong(Set::size).sum();
  }

  /** Items put on a wire, each attempt counted. */
  public long attemptedItems() {
    return attemptedItems.get();
  }

  /** Answers that told a sender to give up: each is an error of the relay. */
  public List<String> failures() {
    return List.copyOf(failures);
  }

  /** Answers that told a sender to come back, with how often each was heard. */
  public Map<String, Integer> retries() {
    return Map.copyOf(retries);
  }

  @Override
  public void close() {
    stop();
    wires.forEach(Wire::close);
  }

  private void drive(Wire wire) {
    while (!stopping) {
      for (Kind kind : Kind.values()) {
        long first = nextId.getAndAdd(itemsPerRequest);
        deliver(wire, kind, first, Items.request(kind, first, itemsPerRequest, attributes));
        LockSupport.parkNanos(pauseNanos);
      }
    }
  }

  private void deliver(Wire wire, Kind kind, long first, byte[] request) {
    remember(sent.get(kind), first);
    while (!stopping) {
      attemptedItems.addAndGet(itemsPerRequest);
      Wire.Reply reply;
      try {
        reply = wire.send(kind, request);
      } catch (IllegalStateException e) {
        // The relay is down and has no address yet.
        LockSupport.parkNanos(RETRY_NANOS);
        continue;
      }
      if (reply.acknowledged()) {
        remember(acknowledged.get(kind), first);
        return;
      }
      if (!reply.retryable()) {
        failures.add(kind + " " + reply.status());
        return;
      }
      retries.merge(reply.status(), 1, Integer::sum);
      LockSupport.parkNanos(RETRY_NANOS);
    }
  }

  private void remember(Set<Long> ids, long first) {
    for (long id = first; id < first + itemsPerRequest; id++) {
      ids.add(id);
    }
  }
}
