package io.spillway.relay;

import java.security.Security;
import org.jspecify.annotations.Nullable;

/**
 * The program. Exit codes: 0 done, 2 bad usage or configuration, 1 anything else.
 *
 * <p>It and {@link RunArguments} do without picocli, which costs a start as much as all of Spillway
 * does; a plain {@code run} is started by them alone.
 */
public final class Main {

  static final int BAD_CONFIG = 2;

  /**
   * How long the JDK remembers what a name resolved to, in seconds: less than exporters look names
   * up again, and enough for a burst of connections to one sink.
   */
  private static final String NAMES_KEPT_SECONDS = "5";

  private Main() {}

  public static void main(String[] args) {
    Security.setProperty("networkaddress.cache.ttl", NAMES_KEPT_SECONDS);
    System.exit(execute(args));
  }

  /** Does what the arguments say; the exit code. */
  static int execute(String... args) {
    @Nullable RunArguments run = RunArguments.plain(args);
    return run == null ? Verbs.execute(args) : run.execute();
  }
}
