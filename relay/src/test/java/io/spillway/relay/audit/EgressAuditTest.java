package io.spillway.relay.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.stage.DialPolicy.Scheme;
import io.spillway.routing.policy.PolicyDecision;
import io.spillway.routing.policy.PolicyDecision.Stage;
import io.spillway.routing.policy.PolicyDecision.Verdict;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Timeout(60)
class EgressAuditTest {
  private static final Instant START = Instant.parse("2026-11-22T10:00:00Z");
  private static final JsonMapper JSON = JsonMapper.shared();

  @TempDir Path directory;
  private final AtomicReference<Instant> now = new AtomicReference<>(START);
  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = directory.resolve("audit").resolve("egress.jsonl");
  }

  @Test
  void pass_denials_areJsonLines() throws IOException {
    EgressAudit audit = audit(1 << 20, 5);

    audit.accept(denied("evil.example"));
    audit.accept(
        new PolicyDecision(
            Stage.DIAL,
            Verdict.SHADOW_DENIED,
            "otlp_grpc/b",
            Scheme.HTTP,
            "a.example",
            4317,
            InetAddress.ofLiteral("10.0.0.1"),
            "egress::allow[0]",
            "says \"no\"\nin two lines"));
    audit.pass(null, false);

    assertThat(Files.readAllLines(file))
        .containsExactly(
            "{\"time\":\"2026-11-22T10:00:00Z\",\"stage\":\"host\",\"verdict\":\"denied\","
                + "\"enforced\":true,\"exporter\":\"otlp_http/a\",\"scheme\":\"https\","
                + "\"host\":\"evil.example\",\"port\":443,\"address\":null,"
                + "\"rule\":\"egress::allow\",\"reason\":\"matches no rule\"}",
            "{\"time\":\"2026-11-22T10:00:00Z\",\"stage\":\"dial\",\"verdict\":\"shadow_denied\","
                + "\"enforced\":false,\"exporter\":\"otlp_grpc/b\",\"scheme\":\"http\","
                + "\"host\":\"a.example\",\"port\":4317,\"address\":\"10.0.0.1\","
                + "\"rule\":\"egress::allow[0]\",\"reason\":\"says \\\"no\\\"\\nin two lines\"}");
  }

  @Test
  void pass_sameDenialAgain_isCountedAndWrittenOnceInAWindow() throws IOException {
    EgressAudit audit = audit(1 << 20, 5);
    for (int i = 0; i < 1000; i++) {
      audit.accept(denied("evil.example"));
      audit.pass(null, false);
    }
    assertThat(lines()).hasSize(1);

    now.set(START.plus(EgressAudit.WINDOW));
    audit.pass(null, false);
    audit.accept(denied("evil.example"));
    audit.pass(null, false);

    assertThat(lines())
        .extracting(line -> line.path("host").asString(), line -> line.path("repeated").asLong(0))
        .containsExactly(
            tuple("evil.example", 0L), tuple("evil.example", 999L), tuple("evil.example", 0L));
  }

  @Test
  void pass_manyDistinctDenials_remembersBoundedlyAndLosesNone() throws IOException {
    EgressAudit audit = audit(1 << 20, 5);
    for (int i = 0; i < 5 * EgressAudit.MAX_DISTINCT; i++) {
      audit.accept(denied("evil" + i + ".example"));
      audit.accept(denied("evil" + i + ".example"));
      if (i % 100 == 0) {
        audit.pass(null, false);
      }
    }
    audit.pass(null, true);

    assertThat(decisions()).isEqualTo(10L * EgressAudit.MAX_DISTINCT);
    assertThat(audit.leftOut()).isZero();
  }

  @Test
  void accept_allowedDial_isWrittenTheFirstTime() throws IOException {
    EgressAudit audit = audit(1 << 20, 5);
    for (int i = 0; i < 3; i++) {
      audit.accept(allowed("198.51.100.1"));
      audit.accept(allowed("198.51.100.2"));
      audit.pass(null, true);
    }

    assertThat(lines())
        .extracting(
            line -> line.path("verdict").asString(), line -> line.path("address").asString())
        .containsExactly(tuple("allowed", "198.51.100.1"), tuple("allowed", "198.51.100.2"));
  }

  @Test
  void accept_queueFull_countsAndWritesTheCount() throws IOException {
    EgressAudit audit = audit(1 << 20, 5);
    for (int i = 0; i < EgressAudit.MAX_WAITING + 7; i++) {
      audit.accept(denied("evil" + i + ".example"));
    }
    assertThat(audit.leftOut()).isEqualTo(7);

    audit.pass(null, false);
    audit.pass(null, false);

    assertThat(lines()).hasSize(EgressAudit.MAX_WAITING + 1);
    assertThat(lines().getFirst().toString())
        .isEqualTo("{\"time\":\"2026-11-22T10:00:00Z\",\"stage\":\"audit\",\"left_out\":7}");
  }

  @Test
  void pass_manyLines_rotatesIntoABoundedNumberOfFiles() throws IOException {
    long maxBytes = 1000;
    EgressAudit audit = audit(maxBytes, 3);
    Files.createDirectories(file.getParent());
    Files.writeString(file.resolveSibling("egress.jsonl.3"), "of a time with more files\n");

    for (int i = 0; i < 100; i++) {
      audit.accept(denied("evil" + i + ".example"));
      if (i % 7 == 0) {
        audit.pass(null, false);
      }
    }
    audit.pass(null, false);

    try (Stream<Path> files = Files.list(file.getParent())) {
      assertThat(files.toList())
          .allSatisfy(each -> assertThat(Files.size(each)).isLessThanOrEqualTo(maxBytes))
          .extracting(each -> each.getFileName().toString())
          .containsExactlyInAnyOrder("egress.jsonl", "egress.jsonl.1", "egress.jsonl.2");
    }
    assertThat(lines().getLast().path("host").asString()).isEqualTo("evil99.example");
    assertThat(lines(file.resolveSibling("egress.jsonl.1")).size()).isGreaterThan(1);
  }

  @Test
  void pass_fullDisk_countsAndGoesOnWhenThereIsRoom() throws IOException {
    EgressAudit audit = audit(new AuditConfig(true, Path.of("/dev/full"), 1 << 20, 5));
    for (int i = 0; i < 3; i++) {
      audit.accept(denied("evil" + i + ".example"));
      audit.pass(null, false);
    }
    assertThat(audit.leftOut()).isEqualTo(3);

    audit.apply(new AuditConfig(true, file, 1 << 20, 5));
    audit.pass(null, false);
    audit.accept(denied("late.example"));
    audit.pass(null, false);

    assertThat(lines()).hasSize(2);
    assertThat(lines().getFirst().path("left_out").asLong()).isEqualTo(3);
    assertThat(lines().getLast().path("host").asString()).isEqualTo("late.example");
  }

  @Test
  void pass_folderCannotBeMade_counts() throws IOException {
    Path notAFolder = Files.writeString(directory.resolve("file"), "");
    EgressAudit audit = audit(new AuditConfig(true, notAFolder.resolve("x"), 1 << 20, 5));

    audit.accept(denied("evil.example"));
    audit.pass(null, false);

    assertThat(audit.leftOut()).isEqualTo(1);
  }

  @Test
  void pass_fileEndsInHalfALine_beginsALineOfItsOwn() throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "{\"time\":\"2026");
    EgressAudit audit = audit(1 << 20, 5);

    audit.accept(denied("evil.example"));
    audit.pass(null, false);

    List<String> written = Files.readAllLines(file);
    assertThat(written).hasSize(2);
    assertThat(JSON.readTree(written.get(1)).path("host").asString()).isEqualTo("evil.example");
  }

  @Test
  void pass_disabled_writesNothingAndMissesNothing() {
    EgressAudit audit = audit(new AuditConfig(false, file, 1 << 20, 5));

    audit.accept(denied("evil.example"));
    audit.pass(null, true);

    assertThat(file).doesNotExist();
    assertThat(audit.leftOut()).isZero();
  }

  @Test
  void close_decisionsWaiting_areWrittenFirst() throws IOException {
    EgressAudit audit = EgressAudit.start(new AuditConfig(true, file, 1 << 20, 5), now::get);
    audit.accept(denied("evil.example"));
    audit.accept(denied("evil.example"));

    audit.close();
    audit.close();

    assertThat(decisions()).isEqualTo(2);
  }

  /** A file that takes no bytes and gives no error: a pipe that nobody reads. */
  @Test
  void accept_writerHangs_neverWaits() throws Exception {
    Path pipe = directory.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    try (EgressAudit audit = EgressAudit.start(new AuditConfig(true, pipe, 1 << 20, 5), now::get)) {
      int many = 4 * EgressAudit.MAX_WAITING;
      for (int i = 0; i < many; i++) {
        audit.accept(denied("evil" + i + ".example"));
      }

      assertThat(audit.leftOut()).isGreaterThan(0);
      try (InputStream in = Files.newInputStream(pipe)) {
        assertThat(in.read()).isEqualTo('{'); // the writer goes on
      }
    }
  }

  @Test
  void read_section_hasDefaultsAndBounds() {
    Configuration defaults = ConfigurationLoader.parse("test.yaml", "egress: {}", Map.of());
    assertThat(AuditConfig.read(defaults.root().section("egress"), Path.of("/data")))
        .isEqualTo(new AuditConfig(true, Path.of("/data/audit/egress.jsonl"), 10 << 20, 5));

    Configuration written =
        ConfigurationLoader.parse(
            "test.yaml",
            "egress: { audit: { enabled: false, file: /var/log/egress, max_bytes: 1MiB, max_files:"
                + " 1 } }",
            Map.of());
    assertThat(AuditConfig.read(written.root().section("egress"), Path.of("/data")))
        .isEqualTo(new AuditConfig(false, Path.of("/var/log/egress"), 1 << 20, 1));

    Configuration bad =
        ConfigurationLoader.parse(
            "test.yaml", "egress: { audit: { max_bytes: 1KiB, max_files: 0 } }", Map.of());
    AuditConfig.read(bad.root().section("egress"), Path.of("/data"));
    assertThat(bad.problems().all())
        .extracting(Object::toString)
        .containsExactlyInAnyOrder(
            "egress::audit::max_bytes: \"1KiB\" is out of range (expected from 64KiB to 1GiB)",
            "egress::audit::max_files: 0 is out of range (expected from 1 to 1000)");
  }

  private EgressAudit audit(long maxBytes, int maxFiles) {
    return audit(new AuditConfig(true, file, maxBytes, maxFiles));
  }

  /** Without a thread: the test makes it look. */
  private EgressAudit audit(AuditConfig config) {
    return new EgressAudit(config, now::get);
  }

  private static PolicyDecision denied(String host) {
    return new PolicyDecision(
        Stage.HOST,
        Verdict.DENIED,
        "otlp_http/a",
        Scheme.HTTPS,
        host,
        443,
        null,
        "egress::allow",
        "matches no rule");
  }

  private static PolicyDecision allowed(String address) {
    return new PolicyDecision(
        Stage.DIAL,
        Verdict.ALLOWED,
        "otlp_http/a",
        Scheme.HTTPS,
        "a.example",
        443,
        InetAddress.ofLiteral(address),
        "egress::allow[0]",
        "");
  }

  private List<JsonNode> lines() throws IOException {
    return lines(file);
  }

  private static List<JsonNode> lines(Path file) throws IOException {
    return Files.readAllLines(file).stream().map(JSON::readTree).toList();
  }

  /** Decisions that all files tell of. */
  private long decisions() throws IOException {
    List<Path> all = new ArrayList<>();
    try (Stream<Path> files = Files.list(file.getParent())) {
      files.forEach(all::add);
    }
    long decisions = 0;
    for (Path each : all) {
      for (JsonNode line : lines(each)) {
        decisions += line.path("repeated").asLong(1);
      }
    }
    return decisions;
  }
}
