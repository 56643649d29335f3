package io.spillway.receivers;

import io.grpc.Metadata;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.StreamSupport;

/** The headers of one call: gives all values of one, by its name in lower case. */
record GrpcHeaders(Metadata headers) implements Function<String, List<String>> {
  /** No more than configurations name. */
  private static final Map<String, Metadata.Key<String>> KEYS = new ConcurrentHashMap<>();

  @Override
  public List<String> apply(String name) {
    Iterable<String> values =
        headers.getAll(
            KEYS.computeIfAbsent(
                name, known -> Metadata.Key.of(known, Metadata.ASCII_STRING_MARSHALLER)));
    return values == null ? List.of() : StreamSupport.stream(values.spliterator(), false).toList();
  }
}
