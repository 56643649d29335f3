package io.spillway.relay.buffer;

import io.spillway.buffer.LetterContent;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.json.JsonWriter;
import io.spillway.otlp.stage.DeadLetter;
import io.spillway.relay.buffer.LetterNames.Chosen;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code buffer dead-letters show}: what is in dead letters. */
@Command(
    name = "show",
    description = "Prints dead letters as OTLP/JSON, one request a line. Changes nothing.",
    mixinStandardHelpOptions = true)
final class DeadLettersShowCommand implements Callable<Integer> {

  @Mixin private BufferOptions options = new BufferOptions();
  @Mixin private LetterNames names = new LetterNames();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws InterruptedException {
    return CommandFailure.guard(spec, this::show);
  }

  private int show() throws CommandFailure, IOException {
    if (!names.areGiven()) {
      throw CommandFailure.badUsage("no letter is named (expected ids or lanes)");
    }
    boolean all = true;
    for (Chosen letter : names.choose(options.open())) {
      all &= print(letter);
    }
    return all ? 0 : 1;
  }

  private boolean print(Chosen letter) throws IOException {
    return switch (letter.letters().read(letter.entry().id())) {
      case LetterContent.Intact(DeadLetter l, var _) -> print(letter, l.request());
      case LetterContent.Unreadable(String why) -> complain(letter, why);
    };
  }

  private boolean print(Chosen letter, Slice request) {
    try {
      JsonWriter.Json json = JsonWriter.write(letter.letters().lane().signal(), request);
      Slice text = json.text();
      spec.commandLine()
          .getOut()
          .println(new String(text.array(), text.offset(), text.length(), StandardCharsets.UTF_8));
      return json.unknownBytes() == 0
          || complain(
              letter,
              Quantities.count(json.unknownBytes(), "byte")
                  + " of fields that OTLP does not know are not shown");
    } catch (MalformedRequestException e) {
      return complain(letter, "malformed: " + e.getMessage());
    }
  }

  private boolean complain(Chosen letter, String what) {
    spec.commandLine().getErr().println(letter.entry().id() + ": " + what);
    spec.commandLine().getErr().flush();
    return false;
  }
}
