package io.spillway.routing.gate;

import io.spillway.config.Section;
import io.spillway.routing.DailyWindow;
import io.spillway.routing.DrainSettings;
import io.spillway.routing.DrainSettings.Order;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads {@code drain}, {@code drain_rate} and {@code drain_window} of a route. */
final class DrainConfig {
  private static final long MIN_RATE = 1024;
  private static final long MAX_RATE = 1L << 40;

  private DrainConfig() {}

  static DrainSettings read(Section route) {
    Order order = route.choice("drain", Order.class, Order.LIVE_FIRST);
    long rate = route.has("drain_rate") ? route.bytes("drain_rate", 0, MIN_RATE, MAX_RATE) : 0;
    DailyWindow window = window(route);
    if (window != null && order == Order.OLDEST_FIRST) {
      route.problem(
          "drain_window",
          "with drain: oldest_first, live data would wait behind the backlog until the window"
              + " opens (expected drain: live_first, or no window)");
    }
    return new DrainSettings(order, rate, window);
  }

  private static @Nullable DailyWindow window(Section route) {
    String text = route.optionalString("drain_window");
    if (text == null) {
      return null;
    }
    try {
      return DailyWindow.parse(text);
    } catch (IllegalArgumentException e) {
      route.problem("drain_window", "\"" + text + "\" " + Objects.toString(e.getMessage()));
      return null;
    }
  }
}
