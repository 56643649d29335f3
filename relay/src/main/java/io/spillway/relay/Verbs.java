package io.spillway.relay;

import io.spillway.relay.demo.DemoCommand;
import io.spillway.relay.load.CaptureCommand;
import io.spillway.relay.load.SendCommand;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;

/** All verbs, as picocli reads them. */
@Command(
    name = "spillway",
    description = "A durable, accountable OTLP egress relay.",
    mixinStandardHelpOptions = true,
    versionProvider = Verbs.Version.class)
final class Verbs {

  private Verbs() {}

  /** Does what the arguments say; the exit code. */
  static int execute(String... args) {
    return commandLine(args).setOut(standardOutput()).execute(args);
  }

  /**
   * The command line that these arguments need: the verb that they begin with, since picocli looks
   * into every class of every verb it knows, or else all verbs.
   */
  static CommandLine commandLine(String... args) {
    CommandLine line = new CommandLine(new Verbs());
    Verb wanted = args.length == 0 ? null : Verb.of(args[0]);
    for (Verb verb : wanted == null ? Verb.values() : new Verb[] {wanted}) {
      line.addSubcommand(verb.command());
    }
    return line;
  }

  /** What the program can do, in the order of its help. */
  private enum Verb {
    RUN(RunArguments.VERB),
    DEMO("demo"),
    VALIDATE("validate"),
    PRINT_CONFIG("print-config"),
    EXPLAIN("explain"),
    SEND("send"),
    CAPTURE("capture"),
    BUFFER("buffer"),
    SINK("sink"),
    REHEARSE("rehearse");

    private final String word;

    Verb(String word) {
      this.word = word;
    }

    static @Nullable Verb of(String word) {
      for (Verb verb : values()) {
        if (verb.word.equals(word)) {
          return verb;
        }
      }
      return null;
    }

    CommandLine command() {
      return switch (this) {
        case RUN -> new CommandLine(new RunCommand());
        case DEMO -> new CommandLine(new DemoCommand(Main.class.getName()));
        case VALIDATE -> new CommandLine(new ValidateCommand());
        case PRINT_CONFIG -> new CommandLine(new PrintConfigCommand());
        case EXPLAIN -> new CommandLine(new ExplainCommand());
        case SEND -> new CommandLine(new SendCommand());
        case CAPTURE -> new CommandLine(new CaptureCommand());
        case BUFFER -> buffer();
        case SINK -> new CommandLine(new SinkCommand());
        case REHEARSE -> new CommandLine(new RehearseCommand());
      };
    }

    /** Resending needs the whole configuration, which the commands beside it do not know. */
    private static CommandLine buffer() {
      CommandLine buffer = new CommandLine(new BufferCommand());
      Objects.requireNonNull(buffer.getSubcommands().get("dead-letters"))
          .addSubcommand(new DeadLettersResendCommand());
      return buffer;
    }
  }

  /** Telemetry is UTF-8, whatever the locale; standard output would make question marks of it. */
  private static PrintWriter standardOutput() {
    return new PrintWriter(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
  }

  /** What {@code --version} prints. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"spillway " + ProgramVersion.text()};
    }
  }
}
