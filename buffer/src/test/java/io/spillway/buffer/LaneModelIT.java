package io.spillway.buffer;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The {@link LaneModel} for 100 000 steps. A new seed each day would find more, but fail on days on
 * which nothing was changed; to look for trouble, add {@code -Dspillway.model.seed=N}.
 */
@Tag("long")
@Execution(ExecutionMode.CONCURRENT)
@Timeout(600)
class LaneModelIT {
  private static final int STEPS = 12_500;
  private static final long SEED = Long.getLong("spillway.model.seed", 1000);

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void lanes_randomSteps_behaveAsTheModel(long seed) throws Exception {
    new LaneModel(directory, SEED + seed, false).run(STEPS);
  }

  @ParameterizedTest
  @ValueSource(longs = {5, 6, 7, 8})
  void lanes_randomStepsAndDamage_behaveAsTheModel(long seed) throws Exception {
    new LaneModel(directory, SEED + seed, true).run(STEPS);
  }
}
