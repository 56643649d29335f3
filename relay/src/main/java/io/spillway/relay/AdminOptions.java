package io.spillway.relay;

import io.spillway.config.Configuration;
import io.spillway.config.Problems.Problem;
import io.spillway.relay.admin.AdminConfig;
import io.spillway.relay.buffer.CommandFailure;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options that say which running relay to ask. */
final class AdminOptions {

  @Mixin private ConfigOptions options = new ConfigOptions();

  @Option(
      names = "--admin",
      paramLabel = "URL",
      description =
          "The running relay's admin address, HOST:PORT or http://HOST:PORT. Default: that of the"
              + " configuration, which cannot be known if it says port 0.")
  private @Nullable String address;

  /**
   * The relay to ask, with the token of the configuration.
   *
   * @throws CommandFailure if what the configuration says of it is wrong
   */
  AdminClient client() throws CommandFailure {
    return AdminClient.of(configured(), address);
  }

  /** Only what concerns the admin server must be right: an operator's shell lacks other secrets. */
  private AdminConfig configured() throws CommandFailure {
    Configuration configuration = options.load();
    AdminConfig admin = AdminConfig.read(configuration.root().section("admin"));
    List<Problem> problems =
        configuration.problems().all().stream()
            .filter(p -> p.path().startsWith("admin") || !p.path().contains("::"))
            .toList();
    if (!problems.isEmpty()) {
      throw CommandFailure.badUsage(
          problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
    }
    return admin;
  }
}
