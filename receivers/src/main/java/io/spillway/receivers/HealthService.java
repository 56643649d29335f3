package io.spillway.receivers;

import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The standard health service (grpc.health.v1.Health) of the relay as a whole, whichever of its
 * services is asked for: serving while requests are taken. It asks for no credentials, because what
 * probes it seldom has any, and says nothing else.
 *
 * <p>Safe on any thread; each watch is sent to by one at a time.
 */
final class HealthService {
  static final String NAME = "grpc.health.v1.Health";

  /** Senders have no use for watches; those who have are few. */
  static final int MAX_WATCHES = 1000;

  private static final int MAX_REQUEST_BYTES = 4096;

  /** {@code HealthCheckRequest.service}, the only field there is. */
  private static final int SERVICE_FIELD = 0x0a;

  private final BooleanSupplier accepting;
  private final Set<String> services = new HashSet<>();
  private final Set<Watch> watches = ConcurrentHashMap.newKeySet();
  private final AtomicInteger watchCount = new AtomicInteger();
  private volatile boolean stopping;

  /** {@code HealthCheckResponse.ServingStatus}; field 1 of the response. */
  enum Health {
    SERVING(1),
    NOT_SERVING(2),
    SERVICE_UNKNOWN(3);

    private final int number;

    Health(int number) {
      this.number = number;
    }

    byte[] response() {
      return new byte[] {0x08, (byte) number};
    }
  }

  /**
   * @param accepting whether requests are taken now
   */
  HealthService(BooleanSupplier accepting) {
    this.accepting = accepting;
    services.add("");
    for (Signal signal : Signal.values()) {
      services.add(signal.grpcService());
    }
  }

  ServerServiceDefinition definition() {
    return ServerServiceDefinition.builder(NAME)
        .addMethod(
            GrpcBytes.method(NAME, "Check", MethodDescriptor.MethodType.UNARY), handler(false))
        .addMethod(
            GrpcBytes.method(NAME, "Watch", MethodDescriptor.MethodType.SERVER_STREAMING),
            handler(true))
        .build();
  }

  /** Tells those who watch of a change. To be called now and then. */
  void look() {
    watches.forEach(Watch::look);
  }

  /** Serves nothing from now on, tells those who watch, and ends their calls. */
  void stop() {
    stopping = true;
    watches.forEach(Watch::end);
  }

  private Health health() {
    return !stopping && accepting.getAsBoolean() ? Health.SERVING : Health.NOT_SERVING;
  }

  private ServerCallHandler<WireMessage, byte[]> handler(boolean watch) {
    return (call, headers) -> {
      call.request(2);
      return new Question(call, watch);
    };
  }

  /** A call until its request is complete, and a watch after that. */
  private final class Question extends ServerCall.Listener<WireMessage> {
    private final ServerCall<WireMessage, byte[]> call;
    private final boolean watch;
    private @Nullable WireMessage message;
    private @Nullable Watch watching;

    Question(ServerCall<WireMessage, byte[]> call, boolean watch) {
      this.call = call;
      this.watch = watch;
    }

    @Override
    public void onMessage(WireMessage received) {
      message = received;
    }

    @Override
    public void onHalfClose() {
      WireMessage received = message;
      if (received == null) {
        call.close(Status.UNIMPLEMENTED.withDescription("no request message"), new Metadata());
        return;
      }
      String service;
      try {
        service = service(received);
      } catch (MalformedRequestException | PayloadTooLargeException e) {
        call.close(Status.INVALID_ARGUMENT.withDescription(e.getMessage()), new Metadata());
        return;
      }
      boolean known = services.contains(service);
      if (watch) {
        watching = watch(call, known);
      } else if (known) {
        call.sendHeaders(new Metadata());
        call.sendMessage(health().response());
        call.close(Status.OK, new Metadata());
      } else {
        call.close(Status.NOT_FOUND.withDescription("unknown service"), new Metadata());
      }
    }

    @Override
    public void onCancel() {
      Watch ended = watching;
      if (ended != null) {
        ended.forget();
      }
    }
  }

  private @Nullable Watch watch(ServerCall<WireMessage, byte[]> call, boolean known) {
    if (watchCount.incrementAndGet() > MAX_WATCHES) {
      watchCount.decrementAndGet();
      call.close(
          Status.RESOURCE_EXHAUSTED.withDescription("more than " + MAX_WATCHES + " watches"),
          new Metadata());
      return null;
    }
    Watch watch = new Watch(call, known);
    watches.add(watch);
    watch.begin();
    if (stopping) {
      watch.end();
    }
    return watch;
  }

  private static String service(WireMessage received)
      throws MalformedRequestException, PayloadTooLargeException {
    if (!(received instanceof WireMessage.Bytes bytes)) {
      throw new MalformedRequestException("the request cannot be read");
    }
    Slice body = Decompression.decompress(bytes.encoding(), bytes.body(), MAX_REQUEST_BYTES);
    byte[] request = body.toByteArray();
    if (request.length == 0) {
      return "";
    }
    if (request[0] != SERVICE_FIELD || request.length < 2 || request[1] != request.length - 2) {
      throw new MalformedRequestException("not a HealthCheckRequest (expected field 1 alone)");
    }
    return new String(request, 2, request[1], StandardCharsets.UTF_8);
  }

  /** A call that hears of changes until its client or the server ends it. */
  private final class Watch {
    private final ServerCall<WireMessage, byte[]> call;
    private final boolean known;
    private @Nullable Health said;
    private boolean ended;

    Watch(ServerCall<WireMessage, byte[]> call, boolean known) {
      this.call = call;
      this.known = known;
    }

    synchronized void begin() {
      call.sendHeaders(new Metadata());
      look();
    }

    synchronized void look() {
      Health now = known ? health() : Health.SERVICE_UNKNOWN;
      if (!ended && !call.isCancelled() && now != said) {
        said = now;
        call.sendMessage(now.response());
      }
    }

    synchronized void end() {
      look();
      if (!ended && !call.isCancelled()) {
        call.close(Status.UNAVAILABLE.withDescription("closing"), new Metadata());
      }
      forget();
    }

    synchronized void forget() {
      if (!ended) {
        ended = true;
        watches.remove(this);
        watchCount.decrementAndGet();
      }
    }
  }
}
