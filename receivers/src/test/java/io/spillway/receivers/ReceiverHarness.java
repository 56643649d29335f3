package io.spillway.receivers;

import io.netty.util.ResourceLeakDetector;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A receiver on free ports of loopback for each test, with a scripted gate behind it. */
final class ReceiverHarness implements BeforeEachCallback, AfterEachCallback {
  static final int MAX_REQUEST_BYTES = 1 << 20;
  static final long ADMISSION_BYTES = 64 << 20;

  static {
    ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
  }

  private final HttpTimeouts timeouts;
  private final long admissionBytes;
  private final HttpService service;
  private ScriptedGate gate;
  private RecordingListener listener;
  private Admission admission;
  private OtlpReceiver receiver;

  ReceiverHarness() {
    this(HttpTimeouts.DEFAULT, ADMISSION_BYTES);
  }

  ReceiverHarness(HttpTimeouts timeouts, long admissionBytes) {
    this(timeouts, admissionBytes, HttpService.DEFAULT);
  }

  ReceiverHarness(Cors cors) {
    this(new HttpService(HttpPaths.DEFAULT, cors));
  }

  ReceiverHarness(HttpService service) {
    this(HttpTimeouts.DEFAULT, ADMISSION_BYTES, service);
  }

  private ReceiverHarness(HttpTimeouts timeouts, long admissionBytes, HttpService service) {
    this.timeouts = timeouts;
    this.admissionBytes = admissionBytes;
    this.service = service;
  }

  static OtlpReceiverConfig loopback() {
    return loopback(HttpService.DEFAULT);
  }

  private static OtlpReceiverConfig loopback(HttpService service) {
    Endpoint free = new Endpoint("127.0.0.1", 0);
    return new OtlpReceiverConfig(
        new OtlpReceiverConfig.Grpc(free, MAX_REQUEST_BYTES),
        new OtlpReceiverConfig.Http(free, MAX_REQUEST_BYTES, service));
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

  GrpcSender grpc() {
    return new GrpcSender(receiver.grpcAddress());
  }

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    gate = new ScriptedGate();
    listener = new RecordingListener();
    admission = new Admission(admissionBytes);
    receiver = new OtlpReceiver(loopback(service), () -> gate, admission, listener, timeouts);
    receiver.start();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    receiver.close(Duration.ZERO);
  }
}
