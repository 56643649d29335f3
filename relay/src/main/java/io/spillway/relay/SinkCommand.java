package io.spillway.relay;

import io.spillway.relay.buffer.CommandFailure;
import java.io.PrintWriter;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/** {@code sink}: the commands that steer where a running relay sends. */
@Command(
    name = "sink",
    description = "Steers where a running relay sends. Orders survive restarts and reloads.",
    mixinStandardHelpOptions = true,
    subcommands = {
      SinkCommand.Pin.class,
      SinkCommand.Release.class,
      SinkCommand.Pause.class,
      SinkCommand.Resume.class,
    })
final class SinkCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    spec.commandLine().usage(spec.commandLine().getErr());
    return Main.BAD_CONFIG;
  }

  /** An order to a running relay: to which one, why, and for how long. */
  private static final class OrderOptions {
    @Mixin private AdminOptions admin = new AdminOptions();

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create();

    @Option(names = "--reason", paramLabel = "TEXT", description = "Shown with the order.")
    private String reason = "";

    @Option(
        names = "--for",
        paramLabel = "DURATION",
        description = "Ends by itself after that, for example 30m. Default: when taken back.")
    private @Nullable String lasts;

    /**
     * Gives the order.
     *
     * @param path of the admin API, with a query if the order needs one
     * @param done said when the relay obeys
     */
    int give(String path, String done) throws InterruptedException {
      String whole = path + (path.contains("?") ? "&" : "?") + query();
      return CommandFailure.guard(command, () -> say(admin.client().post(whole), done));
    }

    private String query() {
      return "by="
          + encoded(System.getProperty("user.name", ""))
          + (reason.isEmpty() ? "" : "&reason=" + encoded(reason))
          + (lasts == null ? "" : "&for=" + encoded(lasts));
    }

    private int say(JsonNode answer, String done) {
      PrintWriter out = command.commandLine().getOut();
      String until = answer.path("until").asString("");
      out.println(done + (until.isEmpty() ? "" : ", until " + until));
      String note = answer.path("note").asString("");
      if (!note.isEmpty()) {
        out.println("Note: " + note);
      }
      return 0;
    }
  }

  /** {@code sink pin}. */
  @Command(
      name = "pin",
      description = {
        "Lets a route send to one of its exporters alone, whatever its breaker says.",
        "While that one fails, the data of the route waits on disk."
      },
      mixinStandardHelpOptions = true)
  static final class Pin implements Callable<Integer> {
    @Mixin private OrderOptions order = new OrderOptions();

    @Parameters(index = "0", paramLabel = "ROUTE", description = "The route's name.")
    private String route = "";

    @Parameters(index = "1", paramLabel = "EXPORTER", description = "TYPE/NAME, in its list.")
    private String exporter = "";

    @Override
    public Integer call() throws InterruptedException {
      return order.give(
          "/api/v1/routes/%s/pin?exporter=%s".formatted(encoded(route), encoded(exporter)),
          "route " + route + " sends to " + exporter + " alone");
    }
  }

  /** {@code sink release}. */
  @Command(
      name = "release",
      description = "Ends a pin: the route follows its failover order again.",
      mixinStandardHelpOptions = true)
  static final class Release implements Callable<Integer> {
    @Mixin private OrderOptions order = new OrderOptions();

    @Parameters(paramLabel = "ROUTE", description = "The route's name.")
    private String route = "";

    @Override
    public Integer call() throws InterruptedException {
      return order.give(
          "/api/v1/routes/%s/release".formatted(encoded(route)),
          "route " + route + " follows its failover order");
    }
  }

  /** {@code sink pause}. */
  @Command(
      name = "pause",
      description = {
        "Lets no route use an exporter: neither data nor probes go to it.",
        "What is in flight finishes. Routes go on with their other exporters, or wait on disk."
      },
      mixinStandardHelpOptions = true)
  static final class Pause implements Callable<Integer> {
    @Mixin private OrderOptions order = new OrderOptions();

    @Parameters(paramLabel = "EXPORTER", description = "TYPE/NAME.")
    private String exporter = "";

    @Override
    public Integer call() throws InterruptedException {
      return order.give(
          "/api/v1/exporters/%s/pause".formatted(encoded(exporter)),
          "exporter " + exporter + " is paused");
    }
  }

  /** {@code sink resume}. */
  @Command(name = "resume", description = "Ends a pause.", mixinStandardHelpOptions = true)
  static final class Resume implements Callable<Integer> {
    @Mixin private OrderOptions order = new OrderOptions();

    @Parameters(paramLabel = "EXPORTER", description = "TYPE/NAME.")
    private String exporter = "";

    @Override
    public Integer call() throws InterruptedException {
      return order.give(
          "/api/v1/exporters/%s/resume".formatted(encoded(exporter)),
          "exporter " + exporter + " is in use again");
    }
  }

  /** For a path or a query; the slash in an exporter's id may be encoded as well. */
  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
