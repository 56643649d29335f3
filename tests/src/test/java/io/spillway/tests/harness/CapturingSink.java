package io.spillway.tests.harness;

import com.google.protobuf.InvalidProtocolBufferException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An OTLP sink on a real socket that remembers what it took and misbehaves on demand. It takes
 * gzip, zstd and plain requests. Safe on any thread.
 */
public final class CapturingSink implements AutoCloseable {

  /** What the sink speaks. */
  public enum Protocol {
    GRPC,
    HTTP
  }

  /** What the sink keeps of a request it took. */
  public enum Keep {
    /** The whole request. */
    REQUESTS,
    /** The numbers of its {@link Items}, and whether they arrived unharmed. */
    ITEM_IDS
  }

  private final Protocol protocol;
  private final Keep keep;
  private final Server server;
  private final FaultyPort port;
  private final List<CapturedRequest> requests = new CopyOnWriteArrayList<>();
  private final Map<Kind, Map<Long, Integer>> ids = new ConcurrentHashMap<>();
  private final AtomicLong damaged = new AtomicLong();
  private final AtomicInteger refusals = new AtomicInteger();
  private final AtomicLong firstRefusalNanos = new AtomicLong();
  private final AtomicLong firstTakenNanos = new AtomicLong();
  private volatile @Nullable Fault fault;

  public CapturingSink(Protocol protocol, Keep keep) {
    this.protocol = protocol;
    this.keep = keep;
    this.server = protocol == Protocol.GRPC ? new GrpcServer(this) : new HttpSinkServer(this);
    this.port = new FaultyPort(server.port());
  }

  /** The server behind the port; it asks {@link #take} what to answer. */
  interface Server extends AutoCloseable {
    int port();

    @Override
    void close();
  }

  public Protocol protocol() {
    return protocol;
  }

  /** Where the sink listens, the same for its whole life, as an exporter's {@code endpoint}. */
  public String endpoint() {
    return "http://" + port.authority();
  }

  /** Where the sink listens. */
  public InetSocketAddress address() {
    return port.address();
  }

  /** Misbehaves from now on. */
  public void fail(Fault newFault) {
    synchronized (this) {
      fault = newFault;
      refusals.set(0);
      firstRefusalNanos.set(0);
      notifyAll();
    }
    switch (newFault) {
      case Fault.Refused _ -> {
        port.refuse();
        firstRefusalNanos.set(System.nanoTime());
      }
      case Fault.Resetting _ -> {
        port.reset();
        firstRefusalNanos.set(System.nanoTime());
      }
      case Fault.Playing(Fault.Trick trick) -> {
        port.play(trick);
        firstRefusalNanos.set(System.nanoTime());
      }
      case Fault.Hanging _, Fault.Answering _, Fault.PartlyRejecting _ -> port.heal();
    }
  }

  /** Takes everything again. */
  public void heal() {
    synchronized (this) {
      fault = null;
      notifyAll();
    }
    port.heal();
  }

  /** The requests taken so far, in order; only with {@link Keep#REQUESTS}. */
  public List<CapturedRequest> requests() {
    return List.copyOf(requests);
  }

  /** The requests of one kind, in order; only with {@link Keep#REQUESTS}. */
  public List<CapturedRequest> requests(Kind kind) {
    return requests.stream().filter(r -> r.kind() == kind).toList();
  }

  /** The numbers of all items of a kind that arrived. */
  public Set<Long> ids(Kind kind) {
    return new HashSet<>(times(kind).keySet());
  }

  /** Items of a kind that arrived, those that arrived twice counted twice. */
  public long arrivals(Kind kind) {
    return times(kind).values().stream().mapToLong(Integer::longValue).sum();
  }

  /** Items that arrived, but not as they were made. */
  public long damaged() {
    return damaged.get();
  }

  /** Requests refused since the present fault began; connections refused are not seen. */
  public int refusals() {
    return refusals.get();
  }

  /** When the present fault was first felt, as {@link System#nanoTime}. */
  public long firstRefusalNanos() {
    return firstRefusalNanos.get();
  }

  /** When the first request was taken since {@link #forgetFirstTaken}; 0 if none was. */
  public long firstTakenNanos() {
    return firstTakenNanos.get();
  }

  public void forgetFirstTaken() {
    firstTakenNanos.set(0);
  }

  @Override
  public void close() {
    port.close();
    synchronized (this) {
      fault = new Fault.Refused();
      notifyAll();
    }
    server.close();
  }

  /** Takes a request unless a fault forbids it, and says which fault to answer with. */
  @Nullable Fault take(CapturedRequest request) throws InvalidProtocolBufferException {
    Fault now = fault;
    switch (now) {
      case null -> record(request);
      case Fault.PartlyRejecting _ -> record(request);
      case Fault.Answering _,
          Fault.Hanging _,
          Fault.Playing _,
          Fault.Refused _,
          Fault.Resetting _ -> {
        firstRefusalNanos.compareAndSet(0, System.nanoTime());
        refusals.incrementAndGet();
      }
    }
    return now;
  }

  /** Waits until the sink no longer hangs, at most a minute. */
  void awaitEndOfHang() throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    synchronized (this) {
      while (fault instanceof Fault.Hanging && System.nanoTime() < deadline) {
        wait(1_000);
      }
    }
  }

  private void record(CapturedRequest request) throws InvalidProtocolBufferException {
    if (keep == Keep.REQUESTS) {
      requests.add(request);
    } else {
      Items.Found found = Items.find(request.kind(), request.body());
      damaged.addAndGet(found.damaged());
      Map<Long, Integer> times =
          ids.computeIfAbsent(request.kind(), _ -> new ConcurrentHashMap<>());
      found.ids().forEach(id -> times.merge(id, 1, Integer::sum));
    }
    firstTakenNanos.compareAndSet(0, System.nanoTime());
  }

  private Map<Long, Integer> times(Kind kind) {
    return new HashMap<>(ids.getOrDefault(kind, Map.of()));
  }
}
