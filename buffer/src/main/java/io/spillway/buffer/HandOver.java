package io.spillway.buffer;

import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Lane.AppendCallback;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Appends on their way to the lane's writer. While the writer is busy with one block the next one
 * gathers here, so batches grow with load and an idle lane waits for nothing. Safe on any thread.
 */
final class HandOver {

  /** Largest uncompressed block of several requests. */
  static final int MAX_BLOCK_BYTES = 1024 * 1024;

  /**
   * Largest request that is not cut, but is a block of its own if need be: what receivers of OTLP
   * commonly take, and what our exporters send at most by default.
   */
  static final int MAX_UNCUT_BYTES = 4 * 1024 * 1024;

  /** The same where requests cannot be cut. */
  static final int MAX_WHOLE_BYTES = 8 * 1024 * 1024;

  /** One request of the largest size that receivers take arrives as this many bytes at once. */
  static final long MAX_QUEUED_BYTES = 64L * 1024 * 1024;

  static final int MAX_QUEUED_APPENDS = 8192;

  /** One append that waits. */
  record Pending(
      RequestBytes request,
      int items,
      int sampledOut,
      String tenant,
      long acceptedMillis,
      AppendCallback callback) {

    /** What it counts in the queue. */
    private long queuedBytes() {
      Slice gzip = request.gzip();
      return (long) request.length() + (gzip == null ? 0 : gzip.length());
    }
  }

  private final int maxAppendBytes;
  private final int maxBlockRequests;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<Pending> queue = new ArrayDeque<>();
  private long queuedBytes;
  private boolean closed;
  private boolean woken;

  /** Makes blocks of requests of this signal. */
  HandOver(Signal signal) {
    this.maxAppendBytes = signal.concatenates() ? MAX_UNCUT_BYTES : MAX_WHOLE_BYTES;
    this.maxBlockRequests = signal.concatenates() ? BlockHeader.MAX_REQUESTS : 1;
  }

  /** The largest append, in bytes. */
  int maxAppendBytes() {
    return maxAppendBytes;
  }

  /** False if the bounds leave no room now, or if the lane is closed. */
  boolean offer(Pending append) {
    lock.lock();
    try {
      if (!hasRoom(append.queuedBytes())) {
        return false;
      }
      queue.add(append);
      queuedBytes += append.queuedBytes();
      changed.signal();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Why an append of this size would not be taken; null if it would be. */
  @Nullable String refusal(long bytes) {
    lock.lock();
    try {
      if (closed) {
        return "closing";
      }
      return hasRoom(bytes)
          ? null
          : queue.size() + " appends, " + DiskBudget.size(queuedBytes) + " wait to be written";
    } finally {
      lock.unlock();
    }
  }

  /**
   * The next appends that fit into one block; empty if none came in time, or at {@link #wake}; null
   * when closed and empty. For the writer thread.
   */
  @Nullable List<Pending> take(long timeoutNanos) {
    lock.lock();
    try {
      long left = timeoutNanos;
      while (queue.isEmpty() && !closed && !woken && left > 0) {
        left = changed.awaitNanos(left);
      }
      woken = false;
      return queue.isEmpty() && closed ? null : fill();
    } catch (InterruptedException e) {
      return fill(); // the writer ends when it is told to by close, not by an interrupt
    } finally {
      lock.unlock();
    }
  }

  /** The next appends that fit into one block; empty if there are none now. */
  List<Pending> takeNow() {
    lock.lock();
    try {
      return fill();
    } finally {
      lock.unlock();
    }
  }

  /** Has the writer look around now, or as soon as it is done. */
  void wake() {
    lock.lock();
    try {
      woken = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Takes nothing more; what is here can still be taken out. */
  void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private boolean hasRoom(long bytes) {
    return !closed
        && queue.size() < MAX_QUEUED_APPENDS
        && (queue.isEmpty() || queuedBytes + bytes <= MAX_QUEUED_BYTES);
  }

  private List<Pending> fill() {
    List<Pending> block = new ArrayList<>();
    TenantTable.Bound tenants = new TenantTable.Bound();
    int bytes = 0;
    for (Pending next = queue.peek();
        next != null
            && block.size() < maxBlockRequests
            && (block.isEmpty() || bytes + next.request.length() <= MAX_BLOCK_BYTES)
            && tenants.admits(next.tenant);
        next = queue.peek()) {
      block.add(queue.remove());
      bytes += next.request.length();
      queuedBytes -= next.queuedBytes();
    }
    return block;
  }
}
