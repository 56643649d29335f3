package io.spillway.receivers;

import io.netty.util.ResourceLeakDetector;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A receiver on free ports of loopback for each test, with a scripted gate behind it. */
final class ReceiverHarness implements BeforeEachCallback, AfterEachCallback, AutoCloseable {
  static final int MAX_REQUEST_BYTES = 1 << 20;
  static final long ADMISSION_BYTES = 64 << 20;

  static {
    ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
  }

  private final OtlpReceiverConfig config;
  private final long admissionBytes;
  private ScriptedGate gate;
  private RecordingListener listener;
  private Admission admission;
  private OtlpReceiver receiver;

  ReceiverHarness() {
    this(HttpTimeouts.DEFAULT, ADMISSION_BYTES);
  }

  ReceiverHarness(HttpTimeouts timeouts, long admissionBytes) {
    this(
        loopback(GrpcGuard.DEFAULT, new HttpGuard(ListenerConfig.DEFAULT, timeouts)),
        admissionBytes);
  }

  ReceiverHarness(Cors cors) {
    this(new HttpService(HttpPaths.DEFAULT, cors));
  }

  ReceiverHarness(HttpService service) {
    this(loopback(GrpcGuard.DEFAULT, service, HttpGuard.DEFAULT), ADMISSION_BYTES);
  }

  ReceiverHarness(OtlpReceiverConfig config, long admissionBytes) {
    this.config = config;
    this.admissionBytes = admissionBytes;
  }

  static OtlpReceiverConfig loopback() {
    return loopback(GrpcGuard.DEFAULT, HttpGuard.DEFAULT);
  }

  static OtlpReceiverConfig loopback(GrpcGuard grpc, HttpGuard http) {
    return loopback(grpc, HttpService.DEFAULT, http);
  }

  private static OtlpReceiverConfig loopback(GrpcGuard grpc, HttpService service, HttpGuard http) {
    Endpoint free = new Endpoint("127.0.0.1", 0);
    return new OtlpReceiverConfig(
        new OtlpReceiverConfig.Grpc(free, MAX_REQUEST_BYTES, grpc),
        new OtlpReceiverConfig.Http(free, MAX_REQUEST_BYTES, service, http));
  }

  ScriptedGate gate() {
    return gate;
  }

  RecordingListener listener() {
    return listener;
  }

  Admission admission() {
    return admission;
  }

  OtlpReceiver receiver() {
    return receiver;
  }

  RawHttp http() throws IOException {
    return new RawHttp(receiver.httpAddress());
  }

  RawGrpc rawGrpc() throws IOException {
    return new RawGrpc(receiver.grpcAddress());
  }

  GrpcSender grpc() {
    return new GrpcSender(receiver.grpcAddress());
  }

  /** Starts a receiver; for tests that cannot say its configuration before they begin. */
  static ReceiverHarness start(OtlpReceiverConfig config) throws IOException {
    ReceiverHarness harness = new ReceiverHarness(config, ADMISSION_BYTES);
    harness.start();
    return harness;
  }

  private void start() throws IOException {
    gate = new ScriptedGate();
    listener = new RecordingListener();
    admission = new Admission(admissionBytes);
    receiver = new OtlpReceiver(config, () -> gate, admission, listener);
    receiver.start();
  }

  @Override
  public void close() {
    receiver.close(Duration.ZERO);
  }

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    start();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    close();
  }
}
