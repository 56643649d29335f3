package io.spillway.routing.egress;

/**
 * How many bytes may leave on one day, and what happens then.
 *
 * @param bytesPerDay on the wire, retries included
 * @param percentage of traces that are kept while the quota is used up, with {@link Action#SAMPLE};
 *     in (0, 100]
 */
public record QuotaSettings(long bytesPerDay, Action action, double percentage) {

  /** What happens when a quota is used up, until the day ends (UTC). */
  public enum Action {
    /**
     * The exporter is not used; the next one of the route is. With none left data stays on disk.
     */
    NEXT_EXPORTER,
    /** New data is refused; what is stored is still sent. */
    REFUSE,
    /** Fewer traces are taken; what is stored is still sent. */
    SAMPLE
  }
}
