package io.spillway.routing.egress;

/**
 * What speaks for a piece being poison at one exporter: failures of its own while others pass.
 *
 * <p>A failure raises the suspicion only if, since the one before it, others succeeded there much
 * more often than they failed. So a sink that fails at random, even half of the time, convicts
 * nobody in practice, while the one piece it cannot digest is found however often it is sent.
 */
final class Strikes {
  /** Successes of others that outweigh one failure of others. */
  private static final int SUCCESSES_PER_FAILURE = 4;

  private int failures;
  private int suspicion;
  private long succeededBefore;
  private long failedBefore;

  /** Failures of any kind. */
  int failures() {
    return failures;
  }

  /** Failures that the sink's state does not explain. */
  int suspicion() {
    return suspicion;
  }

  /**
   * Counts a failed attempt, which the breaker has counted already.
   *
   * @param suspicious whether the request itself may be the cause
   */
  void add(Breaker breaker, boolean suspicious) {
    long passed = breaker.succeeded - succeededBefore;
    long failedToo = breaker.failed - failedBefore - 1;
    boolean othersPass = passed > 0 && passed >= SUCCESSES_PER_FAILURE * failedToo;
    if (suspicious && (failures == 0 || othersPass)) {
      suspicion++;
    }
    failures++;
    succeededBefore = breaker.succeeded;
    failedBefore = breaker.failed;
  }
}
