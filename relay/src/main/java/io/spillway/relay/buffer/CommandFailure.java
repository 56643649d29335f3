package io.spillway.relay.buffer;

import java.io.IOException;
import java.io.Serial;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import picocli.CommandLine.Model.CommandSpec;

/** Why a command ends, in words for whoever typed it, with the exit code. */
public final class CommandFailure extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  private static final int BAD_USAGE = 2;

  private final int exitCode;

  private CommandFailure(int exitCode, String message) {
    super(message, null, false, false);
    this.exitCode = exitCode;
  }

  public static CommandFailure badUsage(String message) {
    return new CommandFailure(BAD_USAGE, message);
  }

  /** What a command does. */
  @FunctionalInterface
  public interface Body {
    int run() throws CommandFailure, IOException, InterruptedException;
  }

  /** Runs a command; a failure becomes a line on standard error and an exit code. */
  public static int guard(CommandSpec spec, Body body) throws InterruptedException {
    try {
      return body.run();
    } catch (CommandFailure e) {
      return report(spec, String.valueOf(e.getMessage()), e.exitCode);
    } catch (IOException e) {
      return report(spec, reason(e), 1);
    } finally {
      spec.commandLine().getOut().flush();
    }
  }

  private static int report(CommandSpec spec, String message, int exitCode) {
    spec.commandLine().getErr().println(spec.qualifiedName() + ": " + message);
    spec.commandLine().getErr().flush();
    return exitCode;
  }

  private static String reason(IOException e) {
    return switch (e) {
      case NoSuchFileException missing -> missing.getFile() + ": no such file or directory";
      case NotDirectoryException other -> other.getFile() + ": not a directory";
      case AccessDeniedException denied -> denied.getFile() + ": permission denied";
      case FileSystemException file -> file.getFile() + ": " + file.getReason();
      default -> String.valueOf(e.getMessage());
    };
  }
}
