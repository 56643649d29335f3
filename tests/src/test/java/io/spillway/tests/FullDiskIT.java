package io.spillway.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.tests.harness.CapturingSink;
import io.spillway.tests.harness.CapturingSink.Protocol;
import io.spillway.tests.harness.Encoding;
import io.spillway.tests.harness.Fault;
import io.spillway.tests.harness.GrpcWire;
import io.spillway.tests.harness.HttpWire;
import io.spillway.tests.harness.Items;
import io.spillway.tests.harness.Kind;
import io.spillway.tests.harness.Lab;
import io.spillway.tests.harness.Ledger;
import io.spillway.tests.harness.Load;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Wire;
import io.spillway.tests.harness.Yaml;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A file system of its own, filled to the last block while the sink is down: senders are told to
 * come back, the relay lives, and when the sink returns everything acknowledged arrives and the
 * space is free again. Needs root, for the loop mount.
 */
@Tag("long")
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class FullDiskIT {

  private static final long NEARLY_EMPTY_BYTES = 60L * 1024 * 1024;

  @RegisterExtension final Lab lab = new Lab();

  /**
   * The relay alone stops at its own limit; with min_free at its least, and with a stranger that
   * takes the last block, the kernel says no.
   */
  @ParameterizedTest
  @ValueSource(strings = {"20MiB", "0B"})
  void fill_sinkDown_refusesAndRecovers(String minFree) throws Exception {
    Path mount = mount();
    CapturingSink sink = lab.sink(Protocol.GRPC);
    sink.fail(new Fault.Refused());
    RelayProcess relay = lab.relay(config(mount, sink, minFree));
    Load load =
        lab.own(
                new Load(
                    List.of(
                        new GrpcWire(relay::grpc, Encoding.IDENTITY),
                        new HttpWire(relay::http, Encoding.IDENTITY)),
                    Map.of("service.name", "full"),
                    500,
                    0))
            .start();
    awaitRefusal(load);
    Path stranger = fillUp(mount);

    assertRefusedForNow(relay);
    assertThat(relay.running()).isTrue();
    assertThat(relay.ledger().balanced()).isTrue();

    sink.heal();
    await()
        .atMost(Duration.ofMinutes(2))
        .untilAsserted(
            () ->
                assertThat(relay.ledger().delivered())
                    .as("drained while the disk is full")
                    .isPositive());
    Files.delete(stranger);
    long acknowledged = load.acknowledged();
    await().atMost(Duration.ofMinutes(1)).until(() -> load.acknowledged() > acknowledged);
    load.stop();
    assertRecovered(mount, sink, relay, load);
  }

  /** What a killed relay finds on a full disk is enough to start and to drain. */
  @Test
  void kill_diskFull_startsAndDrains() throws Exception {
    Path mount = mount();
    CapturingSink sink = lab.sink(Protocol.HTTP);
    sink.fail(new Fault.Refused());
    RelayProcess relay = lab.relay(config(mount, sink, "0B"));
    Load load = lab.own(Load.mixed(relay, 500, 0)).start();
    awaitRefusal(load);
    Path stranger = fillUp(mount);

    relay.kill();
    load.stop();
    relay.start();

    assertThat(relay.ledger().balanced()).isTrue();
    sink.heal();
    await()
        .atMost(Duration.ofMinutes(2))
        .untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    Files.delete(stranger);
    assertRecovered(mount, sink, relay, load);
  }

  /** When a stranger takes the last block. */
  private enum Phase {
    BEFORE_THE_LOAD,
    DURING_THE_LOAD,
    ONCE_THE_RELAY_IS_FULL,
    DURING_THE_DRAIN,
    BEFORE_A_START
  }

  /** One relay, one file system, filled again and again: twenty times in all. */
  @ParameterizedTest
  @EnumSource(Protocol.class)
  void fill_tenTimesAtEveryPhase_losesNothing(Protocol protocol) throws Exception {
    Path mount = mount();
    CapturingSink sink = lab.sink(protocol);
    RelayProcess relay = lab.relay(config(mount, sink, "0B"));
    Load load = lab.own(Load.mixed(relay, 500, 10));
    load.start();
    for (int round = 0; round < 10; round++) {
      Phase phase = Phase.values()[round % Phase.values().length];
      fillAndDrain(phase, mount, sink, relay, load);
      assertThat(relay.running()).as("round %d, %s", round, phase).isTrue();
      assertThat(relay.ledger().balanced()).as("round %d, %s", round, phase).isTrue();
    }
    load.stop();
    assertRecovered(mount, sink, relay, load);
  }

  private void fillAndDrain(
      Phase phase, Path mount, CapturingSink sink, RelayProcess relay, Load load) throws Exception {
    Path stranger = mount.resolve("stranger");
    if (phase == Phase.BEFORE_THE_LOAD) {
      fillUp(mount);
    }
    sink.fail(new Fault.Refused());
    if (phase == Phase.DURING_THE_LOAD) {
      long acknowledged = load.acknowledged();
      int refused = refusals(load);
      await()
          .atMost(Duration.ofMinutes(1))
          .until(
              () -> load.acknowledged() > acknowledged + 10_000 || refusals(load) > refused + 10);
      fillUp(mount);
    }
    int refused = refusals(load);
    await().atMost(Duration.ofMinutes(1)).until(() -> refusals(load) > refused + 10);
    if (phase == Phase.ONCE_THE_RELAY_IS_FULL || phase == Phase.BEFORE_A_START) {
      fillUp(mount);
    }
    if (phase == Phase.BEFORE_A_START) {
      relay.kill();
      relay.start();
    }
    sink.heal();
    long delivered = relay.ledger().delivered();
    await()
        .atMost(Duration.ofMinutes(1))
        .until(
            () -> {
              Ledger ledger = relay.ledger();
              return ledger.buffered() == 0 || ledger.delivered() > delivered;
            });
    if (phase == Phase.DURING_THE_DRAIN) {
      fillUp(mount);
    }
    Files.delete(stranger);
    long acknowledged = load.acknowledged();
    Ledger now = relay.ledger();
    long owed = now.delivered() + now.buffered();
    await()
        .atMost(Duration.ofMinutes(2))
        .until(() -> load.acknowledged() > acknowledged && relay.ledger().delivered() >= owed);
  }

  private static int refusals(Load load) {
    return load.retries().values().stream().mapToInt(n -> n).sum();
  }

  private String config(Path mount, CapturingSink sink, String minFree) {
    return Yaml.toOneSink(Yaml.fixed(mount), sink)
        .replace("compression: gzip", "compression: none")
        .replace("min_free: 64MiB", "min_free: " + minFree + "\n  segment_bytes: 8MiB");
  }

  private static void awaitRefusal(Load load) {
    await().atMost(Duration.ofMinutes(2)).until(() -> !load.retries().isEmpty());
  }

  /** Both protocols answer that the sender should come back, and when. */
  private static void assertRefusedForNow(RelayProcess relay) {
    try (Wire grpc = new GrpcWire(relay::grpc, Encoding.IDENTITY);
        Wire http = new HttpWire(relay::http, Encoding.IDENTITY)) {
      Wire.Reply overGrpc = firstRefusal(grpc);
      Wire.Reply overHttp = firstRefusal(http);
      assertThat(overGrpc.status()).startsWith("UNAVAILABLE");
      assertThat(overGrpc.retryAfter()).isNotNull();
      assertThat(overHttp.status()).isEqualTo("503");
      assertThat(overHttp.retryAfter()).isNotNull();
    }
  }

  /** What was reserved before the disk was full may still take some. */
  private static Wire.Reply firstRefusal(Wire wire) {
    byte[] request = Items.request(Kind.TRACES, Long.MAX_VALUE / 2, 2_000, Map.of());
    for (int i = 0; i < 20; i++) {
      Wire.Reply reply = wire.send(Kind.TRACES, request);
      if (!reply.acknowledged()) {
        return reply;
      }
    }
    throw new AssertionError("never refused");
  }

  private void assertRecovered(Path mount, CapturingSink sink, RelayProcess relay, Load load)
      throws IOException {
    await()
        .atMost(Duration.ofMinutes(2))
        .untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    assertThat(relay.ledger().balanced()).isTrue();
    assertThat(relay.ledger().dropped()).isZero();
    assertThat(load.failures()).isEmpty();
    for (Kind kind : Kind.values()) {
      Set<Long> missing = new TreeSet<>(load.acknowledged(kind));
      missing.removeAll(sink.ids(kind));
      assertThat(missing).as("acknowledged %s that did not arrive", kind).isEmpty();
    }
    assertThat(sink.damaged()).isZero();
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () ->
                assertThat(Files.getFileStore(mount).getUsableSpace())
                    .as("free bytes after the drain")
                    .isGreaterThan(NEARLY_EMPTY_BYTES));
  }

  /** Writes a file until the file system has not one block left. */
  private static Path fillUp(Path mount) throws IOException {
    Path file = mount.resolve("stranger");
    byte[] block = new byte[4096];
    try (OutputStream out = Files.newOutputStream(file)) {
      while (true) {
        out.write(block);
      }
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("No space left on device");
    }
    return file;
  }

  private Path mount() throws Exception {
    Path image = lab.directory().resolve("disk.img");
    Path mount = Files.createDirectory(lab.directory().resolve("disk"));
    run("truncate", "-s", "96M", image.toString());
    run("mkfs.ext4", "-q", "-m", "0", image.toString());
    run("mount", "-o", "loop", image.toString(), mount.toString());
    // Opened before the relay, so closed after it.
    lab.own(() -> run("umount", mount.toString()));
    return mount;
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output =
        new String(
            process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s: %s", String.join(" ", command), output).isZero();
  }
}
