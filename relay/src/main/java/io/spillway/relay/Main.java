package io.spillway.relay;

import io.spillway.relay.demo.DemoCommand;
import io.spillway.relay.load.CaptureCommand;
import io.spillway.relay.load.SendCommand;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.security.Security;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;

/** The command line. Exit codes: 0 done, 2 bad usage or configuration, 1 anything else. */
@Command(
    name = "spillway",
    description = "A durable, accountable OTLP egress relay.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    subcommands = {
      RunCommand.class,
      DemoCommand.class,
      ValidateCommand.class,
      PrintConfigCommand.class,
      SendCommand.class,
      CaptureCommand.class,
      BufferCommand.class,
      SinkCommand.class,
    })
public final class Main {

  static final int BAD_CONFIG = CommandLine.ExitCode.USAGE;

  private Main() {}

  /**
   * How long the JDK remembers what a name resolved to, in seconds: less than exporters look names
   * up again, and enough for a burst of connections to one sink.
   */
  private static final String NAMES_KEPT_SECONDS = "5";

  public static void main(String[] args) {
    Security.setProperty("networkaddress.cache.ttl", NAMES_KEPT_SECONDS);
    System.exit(commandLine().setOut(standardOutput()).execute(args));
  }

  static CommandLine commandLine() {
    CommandLine line = new CommandLine(new Main());
    // Resending needs the whole configuration, which the commands beside it do not know.
    CommandLine buffer = Objects.requireNonNull(line.getSubcommands().get("buffer"));
    Objects.requireNonNull(buffer.getSubcommands().get("dead-letters"))
        .addSubcommand(new DeadLettersResendCommand());
    return line;
  }

  /** Telemetry is UTF-8, whatever the locale; standard output would make question marks of it. */
  private static PrintWriter standardOutput() {
    return new PrintWriter(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
  }

  /** The version in the jar's manifest. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"spillway " + text()};
    }

    static String text() {
      String version = Main.class.getPackage().getImplementationVersion();
      return version == null ? "development" : version;
    }
  }
}
