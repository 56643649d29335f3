package io.spillway.otlp.fuzz;

/** Where Jazzer comes in; it calls both methods by name. */
public final class FuzzEntry {
  /** The class of the {@link FuzzTarget}. */
  static final String TARGET_PROPERTY = "spillway.fuzz.target";

  private static FuzzTarget target;

  private FuzzEntry() {}

  /** Once, before the first input. Loads classes, which takes its time while they are changed. */
  public static void fuzzerInitialize() throws Exception {
    target = newTarget(System.getProperty(TARGET_PROPERTY));
    for (byte[] seed : target.seeds()) {
      target.check(seed);
    }
  }

  public static void fuzzerTestOneInput(byte[] input) throws Exception {
    target.check(input);
  }

  static FuzzTarget newTarget(String className) throws ReflectiveOperationException {
    return Class.forName(className)
        .asSubclass(FuzzTarget.class)
        .getDeclaredConstructor()
        .newInstance();
  }
}
