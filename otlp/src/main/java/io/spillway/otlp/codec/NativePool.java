package io.spillway.otlp.codec;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Keeps a few native decoders or encoders for reuse. Safe on any thread; what is taken belongs to
 * the taker until it is given back.
 */
final class NativePool<T> {

  /** Beyond this many at rest, decoders are freed: a burst must not keep native memory. */
  private static final int MAX_IDLE = 16;

  private final ArrayBlockingQueue<T> idle = new ArrayBlockingQueue<>(MAX_IDLE);
  private final Supplier<T> create;
  private final Consumer<T> free;

  NativePool(Supplier<T> create, Consumer<T> free) {
    this.create = create;
    this.free = free;
  }

  T take() {
    T pooled = idle.poll();
    return pooled != null ? pooled : create.get();
  }

  void give(T decoder) {
    if (!idle.offer(decoder)) {
      free.accept(decoder);
    }
  }
}
