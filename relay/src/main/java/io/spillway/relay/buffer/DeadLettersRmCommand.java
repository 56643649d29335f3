package io.spillway.relay.buffer;

import io.spillway.relay.buffer.LetterNames.Chosen;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code buffer dead-letters rm}: deletes dead letters. */
@Command(
    name = "rm",
    description = "Deletes dead letters. The ledger stays as it is: they are counted as dropped.",
    mixinStandardHelpOptions = true)
final class DeadLettersRmCommand implements Callable<Integer> {

  @Mixin private BufferOptions options = new BufferOptions();
  @Mixin private LetterNames names = new LetterNames();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--confirm", description = "Does it; without, only says what would go.")
  private boolean confirm;

  @Override
  public Integer call() throws InterruptedException {
    return CommandFailure.guard(spec, this::remove);
  }

  private int remove() throws CommandFailure, IOException {
    if (!names.areGiven()) {
      throw CommandFailure.badUsage("no letter is named (expected ids or lanes)");
    }
    List<Chosen> chosen = names.choose(options.open());
    long items = chosen.stream().mapToLong(letter -> letter.entry().items()).sum();
    String what =
        "%s with %s"
            .formatted(
                Quantities.count(chosen.size(), "dead letter"), Quantities.count(items, "item"));
    if (!confirm) {
      throw CommandFailure.badUsage(
          what + " would be deleted for good. Repeat with --confirm to do it.");
    }
    for (Chosen letter : chosen) {
      var _ = letter.letters().remove(letter.entry().id());
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println(what + " deleted.");
    return 0;
  }
}
