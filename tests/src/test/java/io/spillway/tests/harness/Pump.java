package io.spillway.tests.harness;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.function.IntConsumer;

/** Passes on what one socket reads to another, until either goes away. */
final class Pump {
  private static final int BUFFER_BYTES = 64 << 10;

  private Pump() {}

  /** Returns when there is nothing more to pass on; then both are closed. */
  static void run(Socket from, Socket to, IntConsumer passed) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        passed.accept(n);
        out.write(buffer, 0, n);
      }
    } catch (IOException e) {
      // One side went away.
    }
  }
}
