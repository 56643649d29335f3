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
import io.spillway.tests.harness.LoopDisk;
import io.spillway.tests.harness.LoopDisk.Death;
import io.spillway.tests.harness.Program;
import io.spillway.tests.harness.RelayProcess;
import io.spillway.tests.harness.Wire;
import io.spillway.tests.harness.Yaml;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/**
 * The disk under a running relay dies, takes no more writes, or loses its files, and a relay meets
 * a directory that it cannot use. The process lives, senders are told to wait, everything recovers
 * without a restart, and the ledger says what the disk lost. Needs root, for the mounts and for
 * files of another user.
 */
@Tag("long")
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class DiskTroubleIT {

  private static final Logger LOG = LoggerFactory.getLogger(DiskTroubleIT.class);
  private static final int ITEMS_PER_REQUEST = 20;
  private static final int PAUSE_MILLIS = 2;
  private static final int SOME_ITEMS = 2_000;
  private static final int NOBODY = 65534;

  @RegisterExtension final Lab lab = new Lab();

  private CapturingSink sink;
  private RelayProcess relay;
  private Load load;

  /** Everything acknowledged was written before: nothing of it may be lost. */
  @Test
  void ioErrors_sinkUp_drainsLetsGoAndRecovers() throws Exception {
    LoopDisk disk = start("");
    sink.fail(new Fault.Refused());
    awaitAcknowledged(SOME_ITEMS);
    Map<Kind, Set<Long>> stored = acknowledged();

    disk.die(Death.FLUSHED);
    awaitRefusal();
    assertAlive("Input/output error");
    sink.heal();
    disk.unmount(); // only possible because the relay lets go of its files
    assertAlive("is it mounted?");
    disk.mount();

    awaitAcknowledged(SOME_ITEMS);
    assertConserved();
    for (Kind kind : Kind.values()) {
      assertThat(sink.ids(kind)).as("%s stored before", kind).containsAll(stored.get(kind));
    }
  }

  /** What was not written yet is lost with the disk; the ledger says how much. */
  @Test
  void ioErrors_sinkDownAndUnwrittenDataLost_recoversAndCountsWhatIsGone() throws Exception {
    LoopDisk disk = start("");
    sink.fail(new Fault.Refused());
    awaitAcknowledged(SOME_ITEMS);

    disk.die(Death.POWER_CUT);
    awaitRefusal();
    disk.unmountLazily();
    disk.awaitReleased();
    disk.mount();

    awaitAcknowledged(SOME_ITEMS);
    assertThat(relay.ledger().balanced()).as("%s", relay.ledger()).isTrue();
    sink.heal();
    assertConserved();
  }

  @Test
  void readOnly_afterAnError_drainsAndRecovers() throws Exception {
    LoopDisk disk = start("errors=remount-ro");
    sink.fail(new Fault.Refused());
    awaitAcknowledged(SOME_ITEMS);

    disk.reportError();
    awaitRefusal();
    assertAlive("Read-only file system");
    sink.heal();
    await("what can be read drains").until(() -> relay.ledger().buffered() == 0);
    disk.unmount();
    disk.check();
    disk.mount();

    awaitAcknowledged(SOME_ITEMS);
    assertConserved();
    assertThat(relay.ledger().dropped()).isZero();
  }

  @Test
  void bufferDirectoryDeleted_isMadeAnewAndWhatIsGoneIsCounted() throws Exception {
    sink = lab.sink(Protocol.GRPC);
    relay = lab.relay(Yaml.toOneSink(Yaml.fixed(lab.directory()), sink));
    load = lab.own(Load.mixed(relay, ITEMS_PER_REQUEST, PAUSE_MILLIS)).start();
    sink.fail(new Fault.Refused());
    awaitAcknowledged(10 * SOME_ITEMS); // more than the egress holds in memory

    LoopDisk.run("rm", "-rf", buffer().toString());
    await("said so").until(() -> relay.log().contains("was deleted under the running relay"));
    await("made anew").until(() -> Files.exists(buffer().resolve("lanes/default/logs/appended")));
    sink.heal();

    awaitAcknowledged(SOME_ITEMS);
    assertConserved();
    assertThat(relay.ledger().sum(l -> l.dropped().get("corrupt"))).isPositive();
    relay.kill();
    relay.start();
    assertThat(relay.ledger().balanced()).as("%s", relay.ledger()).isTrue();
  }

  @Test
  void laneOfAnotherUser_refusesAloneUntilItIsGivenBack() throws Exception {
    readable();
    Path lanes = Files.createDirectories(buffer().resolve("lanes/default"));
    Path logs = Files.createDirectory(lanes.resolve("logs"));
    LoopDisk.run("chown", "-R", NOBODY + ":" + NOBODY, buffer().toString());
    LoopDisk.run("chown", "root:root", logs.toString());
    sink = lab.sink(Protocol.GRPC);
    relay = lab.relayOfUser(NOBODY, Yaml.toOneSink(Yaml.fixed(lab.directory()), sink));

    try (Wire wire = new GrpcWire(relay::grpc, Encoding.IDENTITY)) {
      assertThat(wire.send(Kind.LOGS, Items.request(Kind.LOGS, 1, 5, Map.of())))
          .matches(reply -> reply.status().startsWith("UNAVAILABLE"), "refused")
          .matches(reply -> reply.retryAfter() != null, "with a delay");
      assertThat(wire.send(Kind.TRACES, Items.request(Kind.TRACES, 1, 5, Map.of())))
          .matches(Wire.Reply::acknowledged, "acknowledged");
      assertThat(full(Kind.LOGS)).contains("permission denied").contains("logs");
      assertThat(full(Kind.TRACES)).isEmpty();

      LoopDisk.run("chown", NOBODY + ":" + NOBODY, logs.toString());
      await()
          .until(
              () -> wire.send(Kind.LOGS, Items.request(Kind.LOGS, 1, 5, Map.of())).acknowledged());
    }
    assertThat(relay.ledger().balanced()).isTrue();
  }

  @Test
  void run_directoryOfAnotherUser_saysWhoseItIsAndExits1() throws Exception {
    readable();
    Files.createDirectory(
        buffer(),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));

    assertRefusesToStart(NOBODY, buffer(), "permission denied", "owned by root:root, mode rwx---");
  }

  @Test
  void run_readOnlyFileSystem_saysSoAndExits1() throws Exception {
    LoopDisk disk = lab.own(LoopDisk.create(lab.directory(), "64M"));
    LoopDisk.run("mount", "-o", "remount,ro", disk.path().toString());

    assertRefusesToStart(0, disk.path().resolve("buffer"), "Read-only file system", "owned by");
  }

  @Test
  void run_fileWhereTheDirectoryShouldBe_saysSoAndExits1() throws Exception {
    Files.createFile(buffer());

    assertRefusesToStart(0, buffer(), "is a file (expected a directory)", "owned by root:root");
  }

  @Test
  void run_directoryInUse_namesTheProcessAndExits2() throws Exception {
    sink = lab.sink(Protocol.GRPC);
    relay = lab.relay(Yaml.toOneSink(Yaml.anywhere(lab.directory()), sink));

    assertSecondNames("process " + relay.pid());
  }

  /** There the first knows itself as process 1, which is another process here. */
  @Test
  void run_directoryInUseFromAnotherPidNamespace_namesTheProcessAsItIsHere() throws Exception {
    sink = lab.sink(Protocol.GRPC);
    relay = lab.relayInPidNamespace(Yaml.toOneSink(Yaml.anywhere(lab.directory()), sink));
    assertThat(relay.pid()).isNotEqualTo(1);

    assertSecondNames("process " + relay.pid());
  }

  // ---- shared

  private LoopDisk start(String options) throws IOException {
    LoopDisk disk =
        lab.own(
            options.isEmpty()
                ? LoopDisk.create(lab.directory(), "512M")
                : LoopDisk.create(lab.directory(), "512M", options));
    sink = lab.sink(Protocol.GRPC);
    relay = lab.relay(Yaml.toOneSink(Yaml.fixed(disk.path()), sink));
    load = lab.own(Load.mixed(relay, ITEMS_PER_REQUEST, PAUSE_MILLIS)).start();
    return disk;
  }

  private Path buffer() {
    return lab.directory().resolve("buffer");
  }

  private void readable() throws IOException {
    Files.setPosixFilePermissions(lab.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private void awaitAcknowledged(long items) {
    long before = load.acknowledged();
    await("acknowledged").until(() -> load.acknowledged() > before + items);
  }

  private Map<Kind, Set<Long>> acknowledged() {
    return Map.of(
        Kind.TRACES, load.acknowledged(Kind.TRACES),
        Kind.METRICS, load.acknowledged(Kind.METRICS),
        Kind.LOGS, load.acknowledged(Kind.LOGS));
  }

  private void awaitRefusal() {
    await("refused").until(() -> !load.retries().isEmpty());
  }

  /** Every lane says why it refuses, both receivers say when to come back, and nothing died. */
  private void assertAlive(String reason) {
    await(reason)
        .untilAsserted(
            () -> {
              for (Kind kind : Kind.values()) {
                assertThat(full(kind)).contains(reason);
              }
            });
    try (Wire grpc = new GrpcWire(relay::grpc, Encoding.IDENTITY);
        Wire http = new HttpWire(relay::http, Encoding.IDENTITY)) {
      byte[] request = Items.request(Kind.TRACES, Long.MAX_VALUE / 2, 5, Map.of());
      assertThat(grpc.send(Kind.TRACES, request))
          .matches(reply -> reply.status().startsWith("UNAVAILABLE"), "refused over gRPC")
          .matches(reply -> reply.retryAfter() != null, "with a delay");
      assertThat(http.send(Kind.TRACES, request))
          .matches(reply -> reply.status().equals("503"), "refused over HTTP")
          .matches(reply -> reply.retryAfter() != null, "with a delay");
    }
    assertThat(relay.running()).isTrue();
    assertThat(relay.ledger().balanced()).as("%s", relay.ledger()).isTrue();
  }

  /** Why a lane takes nothing; empty if it does. */
  private String full(Kind kind) {
    for (JsonNode lane : relay.status().path("lanes")) {
      if (lane.path("signal").asString().equals(kind.label())) {
        return lane.path("full").isNull() ? "" : lane.path("full").asString();
      }
    }
    throw new AssertionError("no lane of " + kind);
  }

  /** After the drain: what did not arrive is in the ledger as lost, and nothing else is missing. */
  private void assertConserved() {
    load.stop();
    await()
        .atMost(Duration.ofMinutes(2))
        .untilAsserted(() -> assertThat(relay.ledger().buffered()).isZero());
    Ledger ledger = relay.ledger();
    assertThat(ledger.balanced()).as("%s", ledger).isTrue();
    for (Kind kind : Kind.values()) {
      Set<Long> missing = new TreeSet<>(load.acknowledged(kind));
      missing.removeAll(sink.ids(kind));
      long corrupt = ledger.sum(kind, l -> l.dropped().get("corrupt"));
      LOG.info("{}: {} missing, {} counted as corrupt", kind, missing.size(), corrupt);
      assertThat((long) missing.size())
          .as("acknowledged %s that did not arrive, of %d counted as lost", kind, corrupt)
          .isLessThanOrEqualTo(corrupt);
      assertThat(ledger.sum(kind, Ledger.Line::routed))
          .isGreaterThanOrEqualTo(load.acknowledged(kind).size());
    }
    assertThat(load.failures()).isEmpty();
    assertThat(sink.damaged()).isZero();
    assertThat(relay.running()).isTrue();
  }

  private void assertRefusesToStart(int uid, Path directory, String... words) throws IOException {
    Program.Result result =
        Program.run(
            lab.directory(), Map.of(), Program.asUser(uid), "run", "--config", config(directory));

    assertThat(result.exitCode()).as(result.out() + result.err()).isEqualTo(1);
    assertThat(result.out() + result.err())
        .contains("buffer::directory: " + directory + " cannot be used: ")
        .contains("Spillway runs as uid " + uid)
        .contains("docs/operations/disk-trouble.md")
        .contains(words)
        .doesNotContain("\tat ");
  }

  private void assertSecondNames(String owner) throws IOException {
    Program.Result second =
        Program.run(lab.directory(), Map.of(), "run", "--config", config(buffer()));

    assertThat(second.exitCode()).as(second.out() + second.err()).isEqualTo(2);
    assertThat(second.out() + second.err())
        .contains("buffer::directory: " + buffer() + " is in use by " + owner + ".");
    assertThat(relay.running()).isTrue();
    assertThat(relay.ledger().balanced()).isTrue();
  }

  private String config(Path directory) throws IOException {
    String yaml =
        Yaml.anywhere(lab.directory())
                .replace(
                    "directory: " + lab.directory().resolve("buffer"), "directory: " + directory)
            + "exporters:\n  debug: {}\nroutes:\n  - { name: default, exporters: [debug] }\n";
    return Files.writeString(lab.directory().resolve("second.yaml"), yaml).toString();
  }
}
