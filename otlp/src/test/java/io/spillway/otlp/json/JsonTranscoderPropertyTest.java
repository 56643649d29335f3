package io.spillway.otlp.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(120)
class JsonTranscoderPropertyTest {

  private static final int SEEDS = 30;
  private static final int LIMIT = 64 * 1024 * 1024;

  // conformance: J-20
  @ParameterizedTest
  @EnumSource(value = Signal.class, names = "PROFILES", mode = EnumSource.Mode.EXCLUDE)
  void toProtobuf_randomRequestPrintedAsJson_equalsOriginal(Signal signal) throws Exception {
    for (long seed = 0; seed < SEEDS; seed++) {
      Random random = new Random(seed);
      Message original = new RandomMessages(random).next(prototype(signal));
      byte[] json = new OtlpJsonPrinter(random).print(original).getBytes(StandardCharsets.UTF_8);

      Slice protobuf = JsonTranscoder.toProtobuf(signal, Slice.of(json), LIMIT);

      Message read = prototype(signal).getParserForType().parseFrom(protobuf.toByteArray());
      assertThat(read.equals(original)).as("seed %d", seed).isTrue();
      assertThat(protobuf.length()).as("seed %d", seed).isEqualTo(original.getSerializedSize());
    }
  }

  /** Whatever comes in: a documented exception, or bytes that the reference reads. */
  @ParameterizedTest
  @EnumSource(value = Signal.class, names = "PROFILES", mode = EnumSource.Mode.EXCLUDE)
  void toProtobuf_damagedJson_isMalformedOrReadable(Signal signal) {
    for (long seed = 0; seed < SEEDS; seed++) {
      Random random = new Random(seed);
      Message original = new RandomMessages(random).next(prototype(signal));
      byte[] json = new OtlpJsonPrinter(random).print(original).getBytes(StandardCharsets.UTF_8);
      for (int i = 0; i < 6; i++) {
        byte[] damaged = damage(json, random);
        assertThatCode(() -> transcodeAndRead(signal, damaged))
            .as("seed %d, damage %d", seed, i)
            .doesNotThrowAnyException();
      }
    }
  }

  private static byte[] damage(byte[] json, Random random) {
    byte[] damaged = json.clone();
    int at = random.nextInt(damaged.length);
    damaged[at] =
        random.nextBoolean()
            ? (byte) "{}[]\",:0-eE.ntu\\".charAt(random.nextInt(16))
            : (byte) random.nextInt(256);
    return damaged;
  }

  private static void transcodeAndRead(Signal signal, byte[] json)
      throws InvalidProtocolBufferException {
    byte[] protobuf;
    try {
      protobuf = JsonTranscoder.toProtobuf(signal, Slice.of(json), LIMIT).toByteArray();
    } catch (MalformedRequestException | PayloadTooLargeException e) {
      return;
    }
    prototype(signal).getParserForType().parseFrom(protobuf);
  }

  static Message prototype(Signal signal) {
    return switch (signal) {
      case TRACES -> ExportTraceServiceRequest.getDefaultInstance();
      case METRICS -> ExportMetricsServiceRequest.getDefaultInstance();
      case LOGS -> ExportLogsServiceRequest.getDefaultInstance();
      case PROFILES -> throw new IllegalArgumentException("no JSON of profiles");
    };
  }
}
