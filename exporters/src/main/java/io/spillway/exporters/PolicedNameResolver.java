package io.spillway.exporters;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.Status;
import io.grpc.StatusOr;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** Tells a gRPC channel the addresses of its endpoint that the policy allows, and no others. */
final class PolicedNameResolver extends NameResolver {
  static final String SCHEME = "spillway";

  private final Dialer dialer;
  private final Endpoint endpoint;
  private final Executor results;
  private final AtomicBoolean resolving = new AtomicBoolean();
  private volatile boolean shutdown;
  private volatile @Nullable Listener2 listener;

  private PolicedNameResolver(Dialer dialer, Endpoint endpoint, Executor results) {
    this.dialer = dialer;
    this.endpoint = endpoint;
    this.results = results;
  }

  @Override
  public String getServiceAuthority() {
    return endpoint.authority();
  }

  @Override
  public void start(Listener2 listener) {
    this.listener = listener;
    refresh();
  }

  /** One lookup at a time: a channel that cannot connect asks again and again. */
  @Override
  public void refresh() {
    if (!shutdown && resolving.compareAndSet(false, true)) {
      dialer.resolve(
          endpoint,
          addresses -> later(StatusOr.fromValue(List.of(group(addresses)))),
          failure -> later(StatusOr.fromStatus(Status.UNAVAILABLE.withCause(failure))));
    }
  }

  private static EquivalentAddressGroup group(List<InetSocketAddress> addresses) {
    return new EquivalentAddressGroup(List.copyOf(addresses));
  }

  private void later(StatusOr<List<EquivalentAddressGroup>> result) {
    results.execute(() -> tell(result));
  }

  private void tell(StatusOr<List<EquivalentAddressGroup>> result) {
    resolving.set(false);
    Listener2 told = listener;
    if (!shutdown && told != null) {
      told.onResult(ResolutionResult.newBuilder().setAddressesOrError(result).build());
    }
  }

  @Override
  public void shutdown() {
    shutdown = true;
  }

  /** Makes the resolvers of one channel. */
  static final class Provider extends NameResolverProvider {
    private final Dialer dialer;
    private final Endpoint endpoint;
    private final Executor results;

    /**
     * @param results runs what the channel does when it hears of addresses
     */
    Provider(Dialer dialer, Endpoint endpoint, Executor results) {
      this.dialer = dialer;
      this.endpoint = endpoint;
      this.results = results;
    }

    @Override
    public NameResolver newNameResolver(URI target, Args args) {
      return new PolicedNameResolver(dialer, endpoint, results);
    }

    @Override
    protected boolean isAvailable() {
      return true;
    }

    @Override
    protected int priority() {
      return 5;
    }

    @Override
    public String getDefaultScheme() {
      return SCHEME;
    }
  }
}
