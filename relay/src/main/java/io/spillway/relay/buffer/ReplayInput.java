package io.spillway.relay.buffer;

import io.spillway.otlp.stage.Block;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Where a replay takes blocks from: a lane, or a folder of files. */
public interface ReplayInput {

  /** What people call it. */
  String name();

  /** Items that it will give, as far as can be told before it is read. */
  long items() throws IOException;

  Blocks open() throws IOException;

  /** The blocks one by one, with rising item numbers. Belongs to one thread. */
  interface Blocks extends AutoCloseable {
    /** The next block; null at the end. */
    @Nullable Block next() throws IOException;

    /** Things that could not be read so far; each was said on standard error. */
    long unreadable();

    @Override
    void close() throws IOException;
  }
}
