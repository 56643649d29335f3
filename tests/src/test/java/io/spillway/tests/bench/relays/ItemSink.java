package io.spillway.tests.bench.relays;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.Gate;
import io.spillway.otlp.stage.Sender;
import io.spillway.otlp.wire.RequestScanner;
import io.spillway.receivers.AdmissionConfig;
import io.spillway.receivers.OtlpReceiver;
import io.spillway.receivers.OtlpReceiverConfig;
import io.spillway.receivers.ReceiverListener;
import io.spillway.receivers.Transport;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Takes OTLP of both protocols and counts how often each item of a {@link Workload} arrives. For
 * one thread, apart from what arrives.
 */
final class ItemSink implements AutoCloseable {
  private final Map<Transport, String> addresses = new EnumMap<>(Transport.class);
  private OtlpReceiver receiver;
  private final LongAdder strangers = new LongAdder();

  /** The newest first: most items are of it. */
  private volatile List<Arrivals> expected = List.of();

  ItemSink() throws IOException {
    receiver = start(0, 0);
    for (Transport transport : Transport.values()) {
      String address = String.valueOf(receiver.servedAt(transport));
      addresses.put(transport, address.substring(address.indexOf('/') + 1));
    }
  }

  private OtlpReceiver start(int grpc, int http) throws IOException {
    Configuration configuration =
        ConfigurationLoader.parse(
            "sink",
            """
            receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:%d" }, http: { endpoint: "127.0.0.1:%d" } } } }
            """
                .formatted(grpc, http),
            Map.of());
    OtlpReceiver started =
        new OtlpReceiver(
            OtlpReceiverConfig.read(configuration.root().section("receivers")),
            () -> (Gate) this::take,
            AdmissionConfig.DEFAULT.create(Runtime.getRuntime().maxMemory()),
            ReceiverListener.NONE);
    started.start();
    return started;
  }

  /** Host and port, which stay the same. */
  String address(Transport transport) {
    return Objects.requireNonNull(addresses.get(transport));
  }

  /** Closes the ports and drops the connections. */
  void leave() {
    receiver.close(Duration.ZERO);
  }

  /** Takes requests on the same ports again. */
  void comeBack() throws IOException {
    receiver = start(port(Transport.GRPC), port(Transport.HTTP));
  }

  private int port(Transport transport) {
    String address = address(transport);
    return Integer.parseInt(address.substring(address.indexOf(':') + 1));
  }

  /**
   * From now on also expects items numbered from {@code first}. What comes late counts in the range
   * that it is of.
   */
  Arrivals expect(int first, int items) {
    Arrivals range = new Arrivals(first, items);
    expected = Stream.concat(Stream.of(range), expected.stream()).toList();
    return range;
  }

  /** Items without a number that was expected. */
  long strangers() {
    return strangers.sum();
  }

  private void take(
      Signal signal, RequestBytes submitted, Sender sender, Consumer<? super Answer> answer) {
    Slice request = submitted.plain();
    try {
      new RequestScanner().scan(signal, request);
      Numbers.places(
          signal,
          request,
          at -> count(at == Numbers.NOWHERE ? -1 : Numbers.read(signal, request.array(), at)));
      answer.accept(new Answer.Accepted(0));
    } catch (MalformedRequestException e) {
      strangers.increment();
      answer.accept(new Answer.Invalid(String.valueOf(e.getMessage())));
    }
  }

  private void count(long number) {
    for (Arrivals range : expected) {
      if (range.add(number)) {
        return;
      }
    }
    strangers.increment();
  }

  @Override
  public void close() {
    receiver.close(Duration.ofSeconds(1));
  }
}
