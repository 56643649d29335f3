package io.spillway.otlp.stage;

import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Takes requests from receivers: validates, routes, samples and hands them to lanes. Safe on any
 * thread; never blocks on a disk.
 */
public interface Gate {

  /**
   * Takes one decompressed, protobuf-encoded export request.
   *
   * @param request the request; its arrays are not written again by the caller
   * @param sender what is known of it, of {@link #headers} among others
   * @param answer called exactly once, on this thread or on a lane's, and must not block; never
   *     called before the data is stored
   */
  void submit(Signal signal, RequestBytes request, Sender sender, Consumer<? super Answer> answer);

  /** As above, of a sender of whom nothing is known, and who did not compress. */
  default void submit(Signal signal, Slice request, Consumer<? super Answer> answer) {
    submit(signal, RequestBytes.of(request), Sender.UNKNOWN, answer);
  }

  /** Headers of requests that the gate asks for, in lower case. No others are to be read. */
  default Set<String> headers() {
    return Set.of();
  }
}
