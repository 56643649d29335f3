package io.spillway.relay.buffer;

import io.spillway.buffer.LetterContent;
import io.spillway.otlp.stage.DeadLetter;
import io.spillway.relay.buffer.LetterNames.Chosen;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.NoSuchFileException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code buffer dead-letters}: what sinks refused for good. */
@Command(
    name = "dead-letters",
    description = {
      "Lists what sinks refused for good, oldest first: the ledger counts it as dropped, and a copy"
          + " is kept in its lane.",
      "Works beside a running relay and without one; changes nothing."
    },
    mixinStandardHelpOptions = true,
    subcommands = {DeadLettersShowCommand.class, DeadLettersRmCommand.class})
public final class DeadLettersCommand implements Callable<Integer> {
  private static final int MAX_WORDS = 80;

  @Mixin private BufferOptions options = new BufferOptions();
  @Mixin private LetterNames names = new LetterNames();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--json", description = "Prints a JSON object a line, with all of the words.")
  private boolean json;

  @Override
  public Integer call() throws InterruptedException {
    return CommandFailure.guard(spec, this::list);
  }

  private int list() throws CommandFailure, IOException {
    PrintWriter out = spec.commandLine().getOut();
    Table table =
        new Table("LANE", "ID", "ITEMS", "BYTES", "REASON", "EXPORTER", "TENANT", "WORDS");
    long items = 0;
    long bytes = 0;
    List<Chosen> chosen = names.choose(options.open());
    for (Chosen letter : chosen) {
      LetterContent content = read(letter);
      if (content == null) {
        continue;
      }
      items += letter.entry().items();
      bytes += letter.entry().bytes();
      if (json) {
        out.println(JsonMapper.shared().writeValueAsString(object(letter, content)));
      } else {
        row(table, letter, content);
      }
    }
    if (!json && chosen.isEmpty()) {
      out.println("no dead letters");
    } else if (!json) {
      table.add("total", "", Quantities.count(items), Quantities.bytes(bytes), "", "", "", "");
      table.lines().forEach(out::println);
    }
    return 0;
  }

  /** Null if a relay or another command has removed it meanwhile. */
  private static @Nullable LetterContent read(Chosen letter) throws IOException {
    try {
      return letter.letters().read(letter.entry().id());
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private static void row(Table table, Chosen letter, LetterContent content) {
    String reason = "?";
    String exporter = "?";
    String tenant = "?";
    String words;
    switch (content) {
      case LetterContent.Intact(DeadLetter l, var _) -> {
        reason = l.reason().label();
        exporter = l.exporter();
        tenant = l.tenant().isEmpty() ? "-" : l.tenant();
        words = l.words();
      }
      case LetterContent.Unreadable(String why) -> words = "unreadable: " + why;
    }
    table.add(
        letter.letters().lane().toString(),
        letter.entry().id(),
        Quantities.count(letter.entry().items()),
        Quantities.bytes(letter.entry().bytes()),
        reason,
        exporter,
        tenant,
        words.length() > MAX_WORDS ? words.substring(0, MAX_WORDS) + "…" : words);
  }

  private static Map<String, @Nullable Object> object(Chosen letter, LetterContent content) {
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    object.put("route", letter.letters().lane().route());
    object.put("signal", letter.letters().lane().signal().label());
    object.put("id", letter.entry().id());
    object.put("when", letter.entry().when().toString());
    object.put("items", letter.entry().items());
    object.put("bytes", letter.entry().bytes());
    switch (content) {
      case LetterContent.Intact(DeadLetter l, var _) -> {
        object.put("reason", l.reason().label());
        object.put("exporter", l.exporter());
        object.put("tenant", l.tenant());
        object.put("words", l.words());
      }
      case LetterContent.Unreadable(String why) -> object.put("unreadable", why);
    }
    return object;
  }
}
