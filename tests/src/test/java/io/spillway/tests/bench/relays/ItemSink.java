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
import io.spillway.otlp.wire.FieldCursor;
import io.spillway.otlp.wire.RequestScanner;
import io.spillway.receivers.AdmissionConfig;
import io.spillway.receivers.OtlpReceiver;
import io.spillway.receivers.OtlpReceiverConfig;
import io.spillway.receivers.ReceiverListener;
import io.spillway.receivers.Transport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * Takes OTLP of both protocols and counts how often each item of a {@link Workload} arrives. Safe
 * on any thread.
 */
final class ItemSink implements AutoCloseable {
  private static final int ITEMS = 2;

  private final OtlpReceiver receiver;
  private final LongAdder strangers = new LongAdder();
  private volatile LongAdder arrived = new LongAdder();
  private volatile AtomicIntegerArray counts = new AtomicIntegerArray(0);

  ItemSink() throws IOException {
    Configuration configuration =
        ConfigurationLoader.parse(
            "sink",
            "receivers: { otlp: { protocols: { grpc: { endpoint: \"127.0.0.1:0\" },"
                + " http: { endpoint: \"127.0.0.1:0\" } } } }",
            Map.of());
    receiver =
        new OtlpReceiver(
            OtlpReceiverConfig.read(configuration.root().section("receivers")),
            () -> (Gate) this::take,
            AdmissionConfig.DEFAULT.create(Runtime.getRuntime().maxMemory()),
            ReceiverListener.NONE);
    receiver.start();
  }

  /** Host and port. */
  String address(Transport transport) {
    String address = String.valueOf(receiver.servedAt(transport));
    return address.substring(address.indexOf('/') + 1);
  }

  /** Forgets what arrived and expects items numbered below {@code items}. */
  void expect(int items) {
    counts = new AtomicIntegerArray(items);
    arrived = new LongAdder();
  }

  long arrived() {
    return arrived.sum();
  }

  /** How often an item arrived since {@link #expect}. */
  int count(int number) {
    return counts.get(number);
  }

  /** Items that carried no number of the workload, ever. */
  long strangers() {
    return strangers.sum();
  }

  private void take(
      Signal signal, RequestBytes submitted, Sender sender, Consumer<? super Answer> answer) {
    Slice request = submitted.plain();
    try {
      new RequestScanner().scan(signal, request);
      FieldCursor resources =
          new FieldCursor()
              .over(request.array(), request.offset(), request.offset() + request.length());
      while (resources.next()) {
        FieldCursor scopes = inside(resources);
        while (scopes.next()) {
          if (scopes.number() == ITEMS) {
            items(signal, inside(scopes));
          }
        }
      }
      answer.accept(new Answer.Accepted(0));
    } catch (MalformedRequestException e) {
      strangers.increment();
      answer.accept(new Answer.Invalid(String.valueOf(e.getMessage())));
    }
  }

  private void items(Signal signal, FieldCursor items) {
    while (items.next()) {
      if (items.number() != ITEMS) {
        continue;
      }
      if (signal == Signal.METRICS) {
        points(inside(items));
      } else {
        count(Workload.numberOfId(id(inside(items), signal == Signal.TRACES ? 2 : 10)));
      }
    }
  }

  /** Of every kind of metric: gauge 5, sum 7, histogram 9, exponential histogram 10. */
  private void points(FieldCursor metric) {
    while (metric.next()) {
      if (metric.number() < 5 || metric.number() > 10) {
        continue;
      }
      FieldCursor points = inside(metric);
      while (points.next()) {
        if (points.number() == 1) {
          count(Workload.numberOfTime(time(inside(points))));
        }
      }
    }
  }

  private static FieldCursor inside(FieldCursor field) {
    return new FieldCursor().over(field.array(), field.value(), field.end());
  }

  private static long id(FieldCursor item, int field) {
    while (item.next()) {
      if (item.number() == field && item.end() - item.value() == Long.BYTES) {
        return ByteBuffer.wrap(item.array()).getLong(item.value());
      }
    }
    return 0;
  }

  private static long time(FieldCursor point) {
    while (point.next()) {
      if (point.number() == 3) {
        return point.fixed64();
      }
    }
    return 0;
  }

  private void count(long number) {
    if (number < 0 || number >= counts.length()) {
      strangers.increment();
      return;
    }
    counts.incrementAndGet((int) number);
    arrived.increment();
  }

  @Override
  public void close() {
    receiver.close(Duration.ofSeconds(1));
  }
}
