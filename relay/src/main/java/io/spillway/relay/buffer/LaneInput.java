package io.spillway.relay.buffer;

import io.spillway.buffer.LaneBlocks;
import io.spillway.buffer.LaneReader;
import io.spillway.buffer.Selection;
import io.spillway.buffer.StoredBlock;
import io.spillway.otlp.stage.Block;
import java.io.IOException;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/** Blocks of a lane, read from outside. */
public final class LaneInput implements ReplayInput {
  private final LaneReader lane;
  private final Selection selection;
  private final PrintWriter err;

  public LaneInput(LaneReader lane, Selection selection, PrintWriter err) {
    this.lane = lane;
    this.selection = selection;
    this.err = err;
  }

  @Override
  public String name() {
    return lane.id().toString();
  }

  @Override
  public long items() throws IOException {
    long items = 0;
    try (LaneBlocks blocks = lane.blocks(selection, finding -> {})) {
      for (StoredBlock b = blocks.next(); b != null; b = blocks.next()) {
        items += b.items();
      }
    }
    return items;
  }

  @Override
  public Blocks open() throws IOException {
    StoredRequests requests = new StoredRequests(lane, selection, err);
    return new Blocks() {
      @Override
      public @Nullable Block next() throws IOException {
        return requests.next();
      }

      @Override
      public long unreadable() {
        return requests.unreadable();
      }

      @Override
      public void close() throws IOException {
        requests.close();
      }
    };
  }
}
