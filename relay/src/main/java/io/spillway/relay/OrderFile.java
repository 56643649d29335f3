package io.spillway.relay;

import io.spillway.routing.egress.OperatorOrder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The orders of operators on disk: a small JSON file beside the lanes, replaced as a whole and
 * forced before it counts.
 */
final class OrderFile {
  private static final Logger log = LoggerFactory.getLogger(OrderFile.class);

  private final ReplacedFile file;

  /**
   * What is written.
   *
   * @param pins by route
   * @param pauses by exporter
   */
  record Orders(Map<String, OperatorOrder> pins, Map<String, OperatorOrder> pauses) {
    static final Orders NONE = new Orders(Map.of(), Map.of());
  }

  /** The file's form, with times as text. */
  private record Stored(Map<String, Order> pins, Map<String, Order> pauses) {}

  private record Order(
      String exporter, String who, String reason, String since, @Nullable String until) {
    static Order of(OperatorOrder order) {
      return new Order(
          order.exporter(),
          order.who(),
          order.reason(),
          order.since().toString(),
          order.until() == null ? null : order.until().toString());
    }

    OperatorOrder order() {
      return new OperatorOrder(
          exporter, who, reason, Instant.parse(since), until == null ? null : Instant.parse(until));
    }
  }

  OrderFile(Path bufferDirectory) {
    this.file = new ReplacedFile(bufferDirectory.resolve("operator.json"));
  }

  /** What was written last; nothing, with an error in the log, if that cannot be read. */
  Orders read() {
    if (!file.exists()) {
      return Orders.NONE;
    }
    try {
      Stored stored = JsonMapper.shared().readValue(file.read(), Stored.class);
      return new Orders(orders(stored.pins()), orders(stored.pauses()));
    } catch (IOException | JacksonException | DateTimeException | NullPointerException e) {
      log.error(
          "{}: unreadable ({}). No route is pinned and no exporter is paused: pin and pause again"
              + " what should be.",
          file,
          e.getMessage());
      return Orders.NONE;
    }
  }

  private static Map<String, OperatorOrder> orders(Map<String, Order> stored) {
    Map<String, OperatorOrder> orders = new HashMap<>();
    stored.forEach((key, order) -> orders.put(key, order.order()));
    return orders;
  }

  /**
   * Returns once the orders are on the disk.
   *
   * @throws IOException naming the file; then the former orders are there
   */
  void write(Orders orders) throws IOException {
    Stored stored = new Stored(stored(orders.pins()), stored(orders.pauses()));
    try {
      file.write(JsonMapper.shared().writeValueAsString(stored));
    } catch (IOException e) {
      throw new IOException(file + ": cannot be written: " + e.getMessage(), e);
    }
  }

  private static Map<String, Order> stored(Map<String, OperatorOrder> orders) {
    Map<String, Order> stored = new TreeMap<>();
    orders.forEach((key, order) -> stored.put(key, Order.of(order)));
    return stored;
  }
}
