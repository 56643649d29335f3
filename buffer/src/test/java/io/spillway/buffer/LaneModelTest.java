package io.spillway.buffer;

import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The {@link LaneModel} for some seconds; {@link LaneModelIT} runs it for minutes. */
@Timeout(120)
class LaneModelTest {
  private static final int STEPS = 1500;

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void lanes_randomSteps_behaveAsTheModel(long seed) throws Exception {
    new LaneModel(directory, seed, false).run(STEPS);
  }

  @ParameterizedTest
  @ValueSource(longs = {3, 4})
  void lanes_randomStepsAndDamage_behaveAsTheModel(long seed) throws Exception {
    new LaneModel(directory, seed, true).run(STEPS);
  }
}
