package io.spillway.otlp.fuzz;

import java.util.List;

/**
 * Something that takes any bytes, and what must hold whatever they are. Has a public constructor
 * without arguments; one thread at a time.
 */
public interface FuzzTarget {
  /** Inputs to begin with; good ones, so that a mutation of one gets far. */
  List<byte[]> seeds() throws Exception;

  /** Throws if what must hold does not. */
  void check(byte[] input) throws Exception;
}
