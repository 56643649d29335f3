package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.AppMain;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.SinkMain;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.BindMode;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.containers.wait.strategy.WaitStrategy;
import org.testcontainers.utility.DockerImageName;

/**
 * An instrumented application, Spillway as its sidecar in the same network name space with a volume
 * of its own, and a sink: the sink is stopped and started, the sidecar is killed and started, and
 * every span that the application saw acknowledged arrives.
 */
@Tag("containers")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class SidecarContainersIT {

  private static final Path REPOSITORY =
      Path.of(System.getProperty("spillway.repository", "..")).toAbsolutePath().normalize();
  private static final String JDK_IMAGE = "eclipse-temurin:25-jdk";
  private static final int APP_SECONDS = 75;
  private static final String CONFIG =
      """
      receivers:
        otlp:
          protocols:
            grpc: { endpoint: 127.0.0.1:4317 }
      buffer: { directory: /var/lib/spillway/buffer, max_bytes: 1GiB, min_free: 16MiB }
      exporters:
        otlp_http/sink:
          endpoint: http://sink:4318
          dangerously_allow_plaintext: true
          timeout: 2s
          retry_on_failure: { initial_interval: 200ms, max_interval: 1s }
      egress: { allow: [ { host: sink, ports: [4318], networks: [ 0.0.0.0/0 ] } ] }
      routes: [ { name: default, exporters: [otlp_http/sink] } ]
      admin: { endpoint: 0.0.0.0:13133, token: secret }
      """;

  /** The port that the application exposes is its sidecar's, which starts after it. */
  private static final WaitStrategy AT_ONCE =
      new AbstractWaitStrategy() {
        @Override
        protected void waitUntilReady() {}
      };

  private static String image = System.getProperty("spillway.image", "");

  @RegisterExtension final Lab lab = new Lab();

  @BeforeAll
  static void buildImage() throws Exception {
    if (image.isEmpty()) {
      image = "spillway-tests:" + ProcessHandle.current().pid();
      docker("build", "-q", "-f", "deploy/Dockerfile", "-t", image, ".");
    }
  }

  @AfterAll
  static void removeImage() throws Exception {
    if (System.getProperty("spillway.image", "").isEmpty()) {
      docker("image", "rm", "-f", image);
    }
  }

  @Test
  void outages_ofSinkAndSidecar_loseNothingAcknowledged() throws Exception {
    String volume = "spillway-tests-" + ProcessHandle.current().pid();
    docker("volume", "create", volume);
    lab.own(() -> docker("volume", "rm", "-f", volume));
    Path classpath = classpath();
    Network network = lab.own(Network.newNetwork());
    GenericContainer<?> sink = lab.own(sink(network, classpath));
    sink.start();
    GenericContainer<?> app = lab.own(app(network, classpath));
    app.start();
    GenericContainer<?> relay = lab.own(sidecar(app, volume));
    relay.start();
    await().atMost(Duration.ofMinutes(1)).until(() -> acknowledged(app).size() > 100);

    stop(sink);
    int atStop = acknowledged(app).size();
    await().atMost(Duration.ofMinutes(1)).until(() -> acknowledged(app).size() > atStop + 100);
    docker("kill", "--signal=KILL", relay.getContainerId());
    docker("start", relay.getContainerId());
    int atKill = acknowledged(app).size();
    await().atMost(Duration.ofMinutes(1)).until(() -> acknowledged(app).size() > atKill + 100);
    docker("start", sink.getContainerId());
    await().atMost(Duration.ofMinutes(2)).until(() -> app.getLogs().contains("app done"));

    Set<String> acknowledged = acknowledged(app);
    await()
        .atMost(Duration.ofMinutes(2))
        .ignoreExceptions()
        .untilAsserted(
            () -> {
              Set<String> missing = new TreeSet<>(acknowledged);
              missing.removeAll(arrived(sink));
              assertThat(missing).as("acknowledged spans that did not arrive").isEmpty();
            });
    String ledger = get(app, 13133, "/api/v1/ledger", Map.of("Authorization", "Bearer secret"));
    assertThat(ledger).contains("\"unaccounted\":0");
  }

  private static GenericContainer<?> sink(Network network, Path classpath) {
    return java(classpath, SinkMain.class, "/tmp/names")
        .withNetwork(network)
        .withNetworkAliases("sink")
        .withExposedPorts(4318)
        .waitingFor(Wait.forLogMessage(".*sink ready.*", 1));
  }

  /** It starts before its sidecar, whose name space it lends, and meets a closed port at first. */
  private static GenericContainer<?> app(Network network, Path classpath) {
    return java(classpath, AppMain.class, "" + APP_SECONDS)
        .withNetwork(network)
        .withEnv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
        .withExposedPorts(13133)
        .waitingFor(AT_ONCE);
  }

  private static GenericContainer<?> sidecar(GenericContainer<?> app, String volume) {
    return new GenericContainer<>(DockerImageName.parse(image))
        .withNetworkMode("container:" + app.getContainerId())
        .withCreateContainerCmdModifier(
            command ->
                command
                    .getHostConfig()
                    .withBinds(
                        com.github.dockerjava.api.model.Bind.parse(volume + ":/var/lib/spillway")))
        .withCopyToContainer(
            org.testcontainers.images.builder.Transferable.of(CONFIG), "/etc/spillway/config.yaml")
        .waitingFor(Wait.forLogMessage(".*ready: .*", 1));
  }

  private static GenericContainer<?> java(Path classpath, Class<?> main, String argument) {
    return new GenericContainer<>(DockerImageName.parse(JDK_IMAGE))
        .withFileSystemBind(classpath.toString(), "/classpath", BindMode.READ_ONLY)
        .withCommand(
            "java", "-Xmx128m", "-cp", "/classpath:/classpath/*", main.getName(), argument);
  }

  /** The classes and jars of this test in one folder, to be mounted. */
  private Path classpath() throws IOException {
    Path folder = Files.createDirectory(lab.directory().resolve("classpath"));
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path path = Path.of(entry);
      if (path.toString().endsWith(".jar")) {
        Files.copy(path, folder.resolve(path.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      } else if (Files.isDirectory(path)) {
        copyTree(path, folder);
      }
    }
    return folder;
  }

  private static void copyTree(Path from, Path to) throws IOException {
    try (var files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path copy = to.resolve(from.relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  private static Set<String> acknowledged(GenericContainer<?> app) {
    Set<String> names = new TreeSet<>();
    app.getLogs()
        .lines()
        .filter(line -> line.startsWith("acknowledged "))
        .forEach(line -> names.add(line.substring("acknowledged ".length()).trim()));
    return names;
  }

  private static Set<String> arrived(GenericContainer<?> sink)
      throws IOException, InterruptedException {
    Set<String> names = new TreeSet<>();
    get(sink, 4318, "/names", Map.of()).lines().forEach(names::add);
    return names;
  }

  /** By the container's own address: its mapped port is another one after each start. */
  private static String get(
      GenericContainer<?> container, int port, String path, Map<String, String> headers)
      throws IOException, InterruptedException {
    String address =
        DockerClientFactory.instance()
            .client()
            .inspectContainerCmd(container.getContainerId())
            .exec()
            .getNetworkSettings()
            .getNetworks()
            .values()
            .iterator()
            .next()
            .getIpAddress();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://" + address + ":" + port + path))
            .timeout(Duration.ofSeconds(5));
    headers.forEach(request::header);
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<String> response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofString());
      assertThat(response.statusCode()).isEqualTo(200);
      return response.body();
    }
  }

  private static void stop(GenericContainer<?> container) throws Exception {
    docker("stop", "--time", "1", container.getContainerId());
  }

  private static void docker(String... arguments) throws IOException, InterruptedException {
    List<String> command = new java.util.ArrayList<>(List.of("docker"));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .directory(REPOSITORY.toFile())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", String.join(" ", command), output).isZero();
  }
}
