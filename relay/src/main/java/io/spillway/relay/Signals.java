package io.spillway.relay;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/**
 * Hears the signals of the operating system. The JDK offers no supported way to hear SIGHUP, or to
 * end SIGTERM with exit code 0; {@code sun.misc.Signal} is reached by reflection because the
 * compiler's warning about it cannot be suppressed.
 */
final class Signals {

  private Signals() {}

  /**
   * Runs {@code action}, on a thread of the JVM, whenever the signal comes.
   *
   * @param name without {@code SIG}
   */
  static void on(String name, Runnable action) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object heard =
          Proxy.newProxyInstance(
              handler.getClassLoader(),
              new Class<?>[] {handler},
              (self, method, arguments) -> answer(self, method, arguments, action));
      signal
          .getMethod("handle", signal, handler)
          .invoke(null, signal.getConstructor(String.class).newInstance(name), heard);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this JVM cannot handle SIG" + name, e);
    }
  }

  /**
   * Sends a signal to this process.
   *
   * @param name without {@code SIG}
   */
  static void raise(String name) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      signal
          .getMethod("raise", signal)
          .invoke(null, signal.getConstructor(String.class).newInstance(name));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this JVM cannot raise SIG" + name, e);
    }
  }

  private static Object answer(Object self, Method method, Object[] arguments, Runnable action) {
    return switch (method.getName()) {
      case "equals" -> System.identityHashCode(self) == System.identityHashCode(arguments[0]);
      case "hashCode" -> System.identityHashCode(self);
      case "toString" -> "signal handler";
      default -> {
        action.run();
        yield "";
      }
    };
  }
}
