package io.spillway.buffer;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Makes pages of a mapping writable with one call to the kernel, where touching them one by one
 * would cost a fault each (Linux, madvise(2), {@code MADV_POPULATE_WRITE}, since 5.14). A hint:
 * where it is not there, or fails, the faults happen as ever. Safe on any thread.
 */
final class Prefault {
  private static final int MADV_POPULATE_WRITE = 23;
  private static final long PAGE_BYTES = 4096;

  /** Below this, the call costs more than it saves. */
  private static final int MIN_BYTES = 32 * 1024;

  private static final @Nullable MethodHandle MADVISE = find();

  private Prefault() {}

  /**
   * @param address of the first byte that is going to be written
   */
  static void writable(long address, int length) {
    if (MADVISE == null || length < MIN_BYTES) {
      return;
    }
    long from = address & -PAGE_BYTES;
    try {
      var _ =
          (int)
              MADVISE.invokeExact(
                  MemorySegment.ofAddress(from), address + length - from, MADV_POPULATE_WRITE);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  @SuppressWarnings(
      "restricted") // the launcher grants native access; the call frees and writes nothing
  private static @Nullable MethodHandle find() {
    Linker linker = Linker.nativeLinker();
    Optional<MemorySegment> madvise = linker.defaultLookup().find("madvise");
    return madvise
        .map(
            address ->
                linker.downcallHandle(
                    address,
                    FunctionDescriptor.of(
                        ValueLayout.JAVA_INT,
                        ValueLayout.ADDRESS,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT)))
        .orElse(null);
  }
}
