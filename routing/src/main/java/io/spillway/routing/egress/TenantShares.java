package io.spillway.routing.egress;

import io.spillway.otlp.stage.Outcome;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Divides what an attempt came to among the tenants whose requests it carried: bytes on the wire by
 * uncompressed bytes, since what is compressed together cannot be told apart, and items as they
 * are. The parts add up to the whole.
 */
final class TenantShares {
  private TenantShares() {}

  /** Takes the share of one tenant. */
  interface Taker {
    /**
     * @param items that the sink took
     */
    void take(String tenant, long wireBytes, int items);
  }

  /** Tells the taker each tenant's share, once. */
  static void divide(Attempt attempt, Outcome outcome, long wireBytes, Taker taker) {
    int rejected =
        outcome instanceof Outcome.Delivered delivered
            ? Math.clamp(delivered.rejected(), 0, attempt.items())
            : attempt.items();
    String sole = soleTenant(attempt);
    if (sole != null) {
      taker.take(sole, wireBytes, attempt.items() - rejected);
      return;
    }
    Map<String, Share> shares = new LinkedHashMap<>();
    long total = 0;
    int left = rejected;
    for (Piece piece : attempt.pieces()) {
      for (int i = piece.firstRequest(); i < piece.endRequest(); i++) {
        Share share = shares.computeIfAbsent(piece.tenant(i), _ -> new Share());
        int items = piece.itemsOf(i);
        int refused = Math.min(left, items);
        left -= refused;
        share.items += items - refused;
        share.length += piece.lengthOf(i);
        total += piece.lengthOf(i);
      }
    }
    give(shares, total, wireBytes, taker);
  }

  private static void give(Map<String, Share> shares, long total, long wireBytes, Taker taker) {
    long lengths = 0;
    long given = 0;
    for (Map.Entry<String, Share> entry : shares.entrySet()) {
      lengths += entry.getValue().length;
      long upTo = total == 0 ? wireBytes : Math.round((double) wireBytes * lengths / total);
      taker.take(entry.getKey(), upTo - given, entry.getValue().items);
      given = upTo;
    }
  }

  /** Null if there are several. */
  private static @Nullable String soleTenant(Attempt attempt) {
    String sole = attempt.pieces().getFirst().held.soleTenant;
    for (Piece piece : attempt.pieces()) {
      if (sole == null || !sole.equals(piece.held.soleTenant)) {
        return null;
      }
    }
    return sole;
  }

  private static final class Share {
    private long length;
    private int items;
  }
}
