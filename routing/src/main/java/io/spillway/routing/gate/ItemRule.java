package io.spillway.routing.gate;

import io.spillway.otlp.Signal;
import io.spillway.otlp.stage.InvalidItems;
import io.spillway.otlp.wire.Flaw;

/**
 * What the gate does with items that strict sinks refuse the whole request for, and who hears of
 * them.
 */
public record ItemRule(InvalidItems handling, Listener listener) {
  /** Rejects them, and tells their sender alone. */
  public static final ItemRule DEFAULT =
      new ItemRule(InvalidItems.PARTIAL_SUCCESS, (signal, flaw, items, rejected) -> {});

  /** Hears of invalid items. Called on any thread; must neither block nor throw. */
  @FunctionalInterface
  public interface Listener {
    /**
     * Called when a request is answered for good, for each kind of flaw in it.
     *
     * @param rejected whether they were rejected; else they were stored like all others
     */
    void found(Signal signal, Flaw.Kind flaw, int items, boolean rejected);
  }
}
