package io.spillway.otlp.stage;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.util.function.Consumer;

/**
 * Takes requests from receivers: validates, routes, samples and hands them to lanes. Safe on any
 * thread; never blocks on a disk.
 */
public interface Gate {

  /**
   * Takes one decompressed, protobuf-encoded export request.
   *
   * @param request the request; its array is not written again by the caller
   * @param answer called exactly once, on this thread or on a lane's, and must not block; never
   *     called before the data is stored
   */
  void submit(Signal signal, Slice request, Consumer<? super Answer> answer);
}
