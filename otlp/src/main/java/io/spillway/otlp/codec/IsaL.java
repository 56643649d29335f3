package io.spillway.otlp.codec;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The functions of ISA-L, a library that deflates and inflates by the vector instructions of the
 * processor. Safe on any thread. What is passed to them is described by igzip_lib.h, in the version
 * of the shared library's name, for machines with 64-bit addresses.
 */
final class IsaL {
  static final String FILE = "libisal.so.2";

  /** Of every function: it went well. */
  static final int OK = 0;

  private final MethodHandle deflateInit;
  private final MethodHandle deflate;
  private final MethodHandle inflateInit;
  private final MethodHandle inflate;

  /**
   * @throws IllegalArgumentException if a function is missing
   */
  IsaL(SymbolLookup library) {
    FunctionDescriptor init = FunctionDescriptor.ofVoid(ADDRESS);
    FunctionDescriptor step = FunctionDescriptor.of(JAVA_INT, ADDRESS);
    this.deflateInit = function(library, "isal_deflate_init", init);
    this.deflate = function(library, "isal_deflate", step);
    this.inflateInit = function(library, "isal_inflate_init", init);
    this.inflate = function(library, "isal_inflate", step);
  }

  // Restricted because a wrong descriptor could crash the process; IsaLCheck tries them all.
  @SuppressWarnings("restricted")
  private static MethodHandle function(
      SymbolLookup library, String name, FunctionDescriptor descriptor) {
    MemorySegment address =
        library
            .find(name)
            .orElseThrow(() -> new IllegalArgumentException("it has no function " + name));
    return Linker.nativeLinker().downcallHandle(address, descriptor);
  }

  /** Begins a stream in a {@code struct isal_zstream}. */
  void deflateInit(MemorySegment stream) {
    init(deflateInit, stream);
  }

  /** Deflates until input or room for output is used up. */
  int deflate(MemorySegment stream) {
    return step(deflate, stream);
  }

  /** Begins a stream in a {@code struct inflate_state}. */
  void inflateInit(MemorySegment state) {
    init(inflateInit, state);
  }

  /** Inflates until input or room for output is used up, or the stream ends. */
  int inflate(MemorySegment state) {
    return step(inflate, state);
  }

  private static void init(MethodHandle function, MemorySegment state) {
    try {
      function.invokeExact(state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private static int step(MethodHandle function, MemorySegment state) {
    try {
      return (int) function.invokeExact(state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** C functions throw nothing; what comes is the JVM's own, such as a stack overflow. */
  private static RuntimeException unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException r ? r : new IllegalStateException(e);
  }
}
