package io.spillway.otlp.codec;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The native memory of one ISA-L stream: its struct, and buffers for input and output that stay in
 * the processor's cache. For one thread at a time; whichever closes it.
 */
final class IsaLBuffers implements AutoCloseable {
  /** Of input and of output. */
  static final int BYTES = 64 << 10;

  /** The larger struct's size is 87,368; what is beyond is for a later release of the same name. */
  private static final long STRUCT_BYTES = 128 << 10;

  private static final int ALIGNMENT = 64;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment in = allocate(BYTES);
  private final MemorySegment out = allocate(BYTES);

  /** What the library is told where it works. */
  final MemorySegment struct = allocate(STRUCT_BYTES);

  // Views, since the layouts of segments take long to get going.

  /** The struct's fields, by their offsets. */
  final ByteBuffer fields = struct.asByteBuffer().order(ByteOrder.nativeOrder());

  private final ByteBuffer inBytes = in.asByteBuffer();

  /** What the library made. */
  final ByteBuffer outBytes = out.asByteBuffer();

  /** More memory that lives as long. */
  MemorySegment allocate(long bytes) {
    return arena.allocate(bytes, ALIGNMENT);
  }

  /**
   * Hands input over, as much as there is room for.
   *
   * @param nextIn offset of the field that points to it
   * @param availIn offset of the field that counts it
   * @return how many bytes
   */
  int feed(byte[] bytes, int from, int to, int nextIn, int availIn) {
    int fed = Math.min(BYTES, to - from);
    inBytes.put(0, bytes, from, fed);
    fields.putLong(nextIn, in.address());
    fields.putInt(availIn, fed);
    return fed;
  }

  /**
   * Empties the output.
   *
   * @param nextOut offset of the field that points to it
   * @param availOut offset of the field that counts what is free of it
   */
  void empty(int nextOut, int availOut) {
    fields.putLong(nextOut, out.address());
    fields.putInt(availOut, BYTES);
  }

  /** How much output was made since it was empty. */
  int made(int availOut) {
    return BYTES - fields.getInt(availOut);
  }

  @Override
  public void close() {
    arena.close();
  }
}
