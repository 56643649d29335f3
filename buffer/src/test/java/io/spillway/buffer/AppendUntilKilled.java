package io.spillway.buffer;

import io.spillway.otlp.Codec;
import io.spillway.otlp.stage.Lane;
import java.nio.file.Path;
import java.time.InstantSource;

/** Appends in a process of its own and prints the number of every acknowledged request. */
final class AppendUntilKilled {
  private AppendUntilKilled() {}

  public static void main(String[] args) throws Exception {
    Buffer buffer = Buffer.open(LaneFixture.config(Path.of(args[0])), InstantSource.system());
    Lane lane = buffer.lane(LaneFixture.ID, Codec.NONE);
    long first = Long.parseLong(args[1]);
    for (long i = first; ; i++) {
      long id = i;
      var stored = LaneFixture.append(lane, KillTest.request(id), 1, 0);
      if (i % 20 == 0 && LaneFixture.await(stored) == null) {
        // Everything before it in the lane was acknowledged too.
        System.out.println(id);
      }
    }
  }
}
