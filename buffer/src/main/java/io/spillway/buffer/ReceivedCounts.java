package io.spillway.buffer;

import io.spillway.otlp.Signal;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What receivers took and did not take, in items, since the directory was first used: {@code
 * received = accepted + refused + invalid}. The counters lie in a mapped file whose blocks exist
 * before it is mapped: an add is one atomic instruction and survives the death of the process. Safe
 * on any thread.
 *
 * <pre>
 *   0            8           16
 *   +------------+-----------+----- … -----+
 *   |   magic    |  zeros    |  9 counters: signal × kind
 *   +------------+-----------+----- … -----+
 * </pre>
 */
public final class ReceivedCounts {
  private static final Logger log = LoggerFactory.getLogger(ReceivedCounts.class);
  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
  private static final long MAGIC = 0x5350_5743_4E54_3031L;
  private static final int FIRST_COUNTER = 16;
  private static final int FILE_BYTES = 4096;

  /** How a request ended. */
  public enum Kind {
    ACCEPTED,
    REFUSED,
    INVALID
  }

  /** On disk a counter's place follows from these; append only. */
  private static final List<Signal> SIGNALS = List.of(Signal.TRACES, Signal.METRICS, Signal.LOGS);

  private static final List<Kind> KINDS = List.of(Kind.ACCEPTED, Kind.REFUSED, Kind.INVALID);

  private final MemorySegment counters;

  private ReceivedCounts(MemorySegment counters) {
    this.counters = counters;
  }

  /** Opens or creates the file. On a full disk, counts in memory if there is no file yet. */
  static ReceivedCounts open(Path file) {
    try {
      if (Files.exists(file) && !isGood(file)) {
        Path aside = file.resolveSibling(file.getFileName() + ".corrupt");
        Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
        log.error("buffer: {} is damaged. Counting from 0; it is kept as {}.", file, aside);
      }
      if (!Files.exists(file)) {
        create(file);
      }
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
        // The automatic arena keeps the mapping alive while anything can still count into it.
        return new ReceivedCounts(
            channel.map(FileChannel.MapMode.READ_WRITE, 0, FILE_BYTES, Arena.ofAuto()));
      }
    } catch (IOException e) {
      log.warn(
          "buffer: cannot open {}: {}. Received counts start at 0 and will not be kept.", file, e);
      return new ReceivedCounts(MemorySegment.ofArray(new long[FILE_BYTES / Long.BYTES]));
    }
  }

  public void add(Signal signal, Kind kind, long items) {
    LONG.getAndAdd(counters, offset(signal, kind), items);
  }

  public long get(Signal signal, Kind kind) {
    return (long) LONG.getVolatile(counters, offset(signal, kind));
  }

  void force() {
    if (counters.isMapped()) {
      counters.force();
    }
  }

  private static long offset(Signal signal, Kind kind) {
    int row = SIGNALS.indexOf(signal);
    return FIRST_COUNTER + 8L * (row * KINDS.size() + KINDS.indexOf(kind));
  }

  private static boolean isGood(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer magic = ByteBuffer.allocate(8);
      return channel.size() == FILE_BYTES
          && channel.read(magic, 0) == 8
          && magic.getLong(0) == MAGIC;
    }
  }

  private static void create(Path file) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    byte[] content = new byte[FILE_BYTES];
    ByteBuffer.wrap(content).putLong(MAGIC);
    Files.write(fresh, content);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
