package io.spillway.routing.gate;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.InvalidItems;
import io.spillway.otlp.wire.Flaw;
import io.spillway.otlp.wire.ItemFilter;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A request with a flaw, after the {@link ItemRule} was applied.
 *
 * @param request what is to be stored of it
 * @param success the answer if that is stored
 * @param invalid items by what is wrong with them
 */
record Screened(Slice request, Answer.Accepted success, Map<Flaw.Kind, Integer> invalid) {

  /**
   * @param items in the request
   */
  static Screened of(Signal signal, Slice request, int items, Flaw first, InvalidItems handling) {
    ItemFilter.Filtered filtered = ItemFilter.filter(signal, request);
    return switch (handling) {
      case PASS -> new Screened(request, new Answer.Accepted(items), filtered.invalid());
      case PARTIAL_SUCCESS -> {
        int rejected = items - filtered.kept();
        String message = rejected == 0 ? "" : message(signal, rejected, items, first);
        yield new Screened(
            filtered.request(), new Answer.Accepted(items, rejected, message), filtered.invalid());
      }
    };
  }

  /** Nothing is left to be stored (OTLP does not say what partial success of nothing means). */
  boolean isAllRejected() {
    return success.rejected() > 0 && success.rejected() == success.items();
  }

  /** Tells the listener once the request is answered for good; later it would come again. */
  Consumer<Answer> reporting(Signal signal, ItemRule rule, Consumer<? super Answer> answer) {
    boolean rejects = rule.handling() == InvalidItems.PARTIAL_SUCCESS;
    return result -> {
      if (result instanceof Answer.Accepted || result instanceof Answer.Invalid) {
        invalid.forEach((flaw, items) -> rule.listener().found(signal, flaw, items, rejects));
      }
      answer.accept(result);
    };
  }

  private static String message(Signal signal, int rejected, int items, Flaw first) {
    String rest =
        rejected == items ? "Nothing was stored" : "The rest is stored; do not send it again";
    return "%d of %d %s%s rejected, the first for this: %s. %s. %s."
        .formatted(
            rejected,
            items,
            signal.itemName(),
            items == 1 ? "" : "s",
            first.text(),
            rest,
            first.kind().remedy());
  }
}
