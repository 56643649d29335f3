package io.spillway.relay.demo;

import java.io.Console;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code demo}: an outage of both sinks in a minute, with real SDK traffic, counted at both ends.
 */
@Command(
    name = "demo",
    description =
        "Starts the relay and two sinks on free ports, sends telemetry through the OpenTelemetry"
            + " SDK, stops and starts the sinks, and checks that everything acknowledged arrived."
            + " Takes about a minute; exit code 0 only if nothing was lost.",
    mixinStandardHelpOptions = true)
public final class DemoCommand implements Callable<Integer> {

  private final String mainClass;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--plain", description = "Plain lines even on a terminal.")
  private boolean plain;

  /**
   * @param mainClass of this program, which the demo starts as processes
   */
  public DemoCommand(String mainClass) {
    this.mainClass = mainClass;
  }

  @Override
  public Integer call() throws Exception {
    // There is no console where input does not come from a terminal.
    boolean terminal =
        !plain
            && Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent()
            && !"dumb".equals(System.getenv("TERM"));
    try (Demo demo = new Demo(new DemoScreen(spec.commandLine().getOut(), terminal), mainClass)) {
      if (!demo.run()) {
        return 1;
      }
      demo.clean();
      return 0;
    }
  }
}
