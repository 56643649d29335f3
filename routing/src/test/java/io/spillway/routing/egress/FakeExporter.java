package io.spillway.routing.egress;

import io.spillway.otlp.Codec;
import io.spillway.otlp.GzipPassthrough;
import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.RetrySettings;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** A sink that answers as the test says; null means not at all. */
final class FakeExporter implements Exporter {
  static final Function<ExportRequest, Outcome> TAKES = _ -> new Outcome.Delivered();
  static final Function<ExportRequest, Outcome> HANGS = _ -> null;
  static final Function<ExportRequest, Outcome> REFUSES =
      _ -> new Outcome.SinkDown(ErrorClass.CONNECT, "connection refused");
  static final Function<ExportRequest, Outcome> FAILS =
      _ -> new Outcome.Retry(null, ErrorClass.SERVER, "503");

  /** One call. */
  record Call(ExportRequest request, CompletableFuture<Outcome> answer) {}

  final List<Call> calls = new CopyOnWriteArrayList<>();
  Codec codec = Codec.NONE;
  GzipPassthrough gzipPassthrough = GzipPassthrough.AUTO;
  int maxRequestBytes = 4 << 20;
  boolean countsWire = true;
  volatile Function<ExportRequest, Outcome> behaviour = TAKES;

  private final String id;

  FakeExporter(String id) {
    this.id = id;
  }

  FakeExporter(String id, Function<ExportRequest, Outcome> behaviour) {
    this.id = id;
    this.behaviour = behaviour;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public Codec codec() {
    return codec;
  }

  @Override
  public GzipPassthrough gzipPassthrough() {
    return gzipPassthrough;
  }

  @Override
  public int maxRequestBytes() {
    return maxRequestBytes;
  }

  @Override
  public RetrySettings retry() {
    return RetrySettings.DEFAULT;
  }

  @Override
  public CompletableFuture<Outcome> export(ExportRequest request) {
    CompletableFuture<Outcome> answer = new CompletableFuture<>();
    calls.add(new Call(request, answer));
    if (countsWire) {
      request.wireBytes().add(request.payload().length());
    }
    Outcome outcome = behaviour.apply(request);
    if (outcome != null) {
      answer.complete(outcome);
    }
    return answer;
  }

  Call lastCall() {
    return calls.getLast();
  }

  @Override
  public void close(Duration deadline) {}
}
