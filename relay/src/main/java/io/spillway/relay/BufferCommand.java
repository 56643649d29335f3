package io.spillway.relay;

import io.spillway.relay.buffer.CatCommand;
import io.spillway.relay.buffer.DeadLettersCommand;
import io.spillway.relay.buffer.ExportCommand;
import io.spillway.relay.buffer.LsCommand;
import io.spillway.relay.buffer.VerifyCommand;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code buffer}: the commands that look into and mend a buffer directory. */
@Command(
    name = "buffer",
    description = "Looks into and mends the lanes of a running or a stopped relay.",
    mixinStandardHelpOptions = true,
    subcommands = {
      LsCommand.class,
      VerifyCommand.class,
      CatCommand.class,
      ExportCommand.class,
      BufferReplayCommand.class,
      BufferDropCommand.class,
      DeadLettersCommand.class,
    })
final class BufferCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return Main.BAD_CONFIG;
  }
}
