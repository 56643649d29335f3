package io.spillway.exporters;

import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.tls.TestCertificates;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A sink for tests: a real server in this process that answers as it is told. */
interface Sink extends AutoCloseable {

  /** How a sink proves who it is; client certificates are required if a client is to be trusted. */
  record Tls(TestCertificates.Identity server, Path trustedClients) {}

  /** A request as it came, body still compressed; header names in lower case. */
  record Received(Signal signal, Map<String, String> headers, Slice body) {
    String encoding() {
      return headers.getOrDefault("content-encoding", headers.getOrDefault("grpc-encoding", ""));
    }
  }

  int port();

  /** In the order of arrival. */
  List<Received> received();

  /** Who sent each of them, as its certificate says; empty without TLS. */
  List<String> clients();

  void answerPartialSuccess(long rejected, String message);

  /** Not now, but in a while. */
  void answerThrottled(Duration after);

  /** Answers no request before {@link #release}. */
  void hold();

  void release();

  /** Attempts that the client gave up while they were held. */
  int abandoned();

  @Override
  void close();
}
