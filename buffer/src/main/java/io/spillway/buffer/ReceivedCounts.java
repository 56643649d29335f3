package io.spillway.buffer;

import io.spillway.otlp.Signal;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What receivers took and did not take, in items, since the directory was first used: {@code
 * received = accepted + refused + invalid}. An add is in the page cache when it returns, so it
 * survives the death of the process, except that of several adds at once one writes for all. Safe
 * on any thread.
 *
 * <p>The counters live in memory; the file is a copy. It is written and not mapped, because a fault
 * of the disk below a mapping would surface as an error somewhere in a receiver's thread. While the
 * file cannot be written, memory counts on, and the next {@link #attach} makes up for it.
 *
 * <pre>
 *   0            8           16
 *   +------------+-----------+----- … -----+
 *   |   magic    |  zeros    |  12 counters: signal × kind, in the byte order of the machine
 *   +------------+-----------+----- … -----+
 * </pre>
 */
public final class ReceivedCounts {
  private static final Logger log = LoggerFactory.getLogger(ReceivedCounts.class);
  private static final long MAGIC = 0x5350_5743_4E54_3031L;
  private static final int FIRST_COUNTER = 16;
  private static final int FILE_BYTES = 4096;

  /** Writes that one add makes for others, before it leaves the rest to the next one. */
  private static final int MAX_WRITES = 4;

  /** How a request ended. */
  public enum Kind {
    ACCEPTED,
    REFUSED,
    INVALID
  }

  /** On disk a counter's place follows from these; append only. */
  private static final List<Signal> SIGNALS =
      List.of(Signal.TRACES, Signal.METRICS, Signal.LOGS, Signal.PROFILES);

  private static final List<Kind> KINDS = List.of(Kind.ACCEPTED, Kind.REFUSED, Kind.INVALID);
  private static final int COUNTERS = 12;

  private final Path file;
  private final AtomicLongArray counters = new AtomicLongArray(COUNTERS);
  private final AtomicBoolean writing = new AtomicBoolean();
  private volatile boolean dirty;
  private volatile boolean unforced;

  /** Null while the file cannot be used. */
  private final AtomicReference<@Nullable FileChannel> channel = new AtomicReference<>();

  // Guarded by this.
  private boolean loaded;

  /** Written by whoever holds {@link #writing}. */
  private final ByteBuffer scratch =
      ByteBuffer.allocateDirect(COUNTERS * Long.BYTES).order(ByteOrder.nativeOrder());

  private ReceivedCounts(Path file) {
    this.file = file;
  }

  /** Opens or creates the file; counts in memory until that works. */
  static ReceivedCounts open(Path file) {
    ReceivedCounts counts = new ReceivedCounts(file);
    counts.attach();
    return counts;
  }

  public void add(Signal signal, Kind kind, long items) {
    counters.addAndGet(place(signal, kind), items);
    dirty = true;
    write();
  }

  public long get(Signal signal, Kind kind) {
    return counters.get(place(signal, kind));
  }

  /** Takes the file at the path into use if none is. What it held is added the first time. */
  synchronized void attach() {
    if (channel.get() != null) {
      return;
    }
    try {
      if (Files.exists(file) && !isGood(file)) {
        Path aside = file.resolveSibling(file.getFileName() + ".corrupt");
        Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
        log.error("buffer: {} is damaged. Counting from 0; it is kept as {}.", file, aside);
      }
      if (!Files.exists(file)) {
        create(file);
      }
      FileChannel opened =
          FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
      if (!loaded) {
        load(opened);
        loaded = true;
      }
      channel.set(opened);
      dirty = true;
      write();
    } catch (IOException e) {
      log.warn(
          "buffer: cannot open {}: {}. Received counts are kept in memory until it can be.",
          file,
          DiskErrors.text(e));
    }
  }

  /** Leaves the file alone, and counts in memory. */
  void detach() {
    FileChannel open = channel.getAndSet(null);
    try {
      if (open != null) {
        open.close();
      }
    } catch (IOException e) {
      log.debug("buffer: closing {}", file, e);
    }
  }

  boolean isAttached() {
    return channel.get() != null;
  }

  /** Writes through to the device what was written since the last time. */
  void force() {
    write();
    FileChannel to = channel.get();
    if (to == null || !unforced) {
      return;
    }
    unforced = false;
    try {
      to.force(false);
    } catch (IOException e) {
      failed(e);
    }
  }

  private void write() {
    for (int i = 0; i < MAX_WRITES && dirty && writing.compareAndSet(false, true); i++) {
      try {
        FileChannel to = channel.get();
        if (to != null) {
          dirty = false;
          writeTo(to);
          unforced = true;
        }
      } catch (IOException e) {
        failed(e);
      } finally {
        writing.set(false);
      }
    }
  }

  private void writeTo(FileChannel to) throws IOException {
    scratch.clear();
    for (int i = 0; i < COUNTERS; i++) {
      scratch.putLong(counters.get(i));
    }
    scratch.flip();
    long at = FIRST_COUNTER;
    while (scratch.hasRemaining()) {
      at += to.write(scratch, at);
    }
  }

  private void failed(IOException e) {
    dirty = true;
    detach();
    log.warn(
        "buffer: cannot write {}: {}. Received counts are kept in memory until it can be.",
        file,
        DiskErrors.text(e));
  }

  private void load(FileChannel from) throws IOException {
    ByteBuffer found = ByteBuffer.allocate(COUNTERS * Long.BYTES).order(ByteOrder.nativeOrder());
    while (found.hasRemaining()) {
      if (from.read(found, FIRST_COUNTER + found.position()) < 0) {
        throw new IOException(file + " ends before its counters");
      }
    }
    for (int i = 0; i < COUNTERS; i++) {
      counters.addAndGet(i, found.getLong(i * Long.BYTES));
    }
  }

  private static int place(Signal signal, Kind kind) {
    return SIGNALS.indexOf(signal) * KINDS.size() + KINDS.indexOf(kind);
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
