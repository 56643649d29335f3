package io.spillway.routing.egress;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What operators want of a lane's exporters.
 *
 * @param pin the one exporter that the lane sends to, whatever its breaker says; null for failover
 * @param pauses exporters that are not used at all; those of other lanes are ignored
 */
public record OperatorOrders(@Nullable OperatorOrder pin, List<OperatorOrder> pauses) {
  /** Nothing is wanted. */
  public static final OperatorOrders NONE = new OperatorOrders(null, List.of());

  public OperatorOrders {
    pauses = List.copyOf(pauses);
  }
}
