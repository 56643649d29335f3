package io.spillway.otlp.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.WireFormat;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.io.IOException;
import java.util.Arrays;

/** Requests as protobuf-java sees them: the reference for everything done on bytes. */
final class Requests {
  private Requests() {}

  static Descriptor descriptor(Signal signal) {
    return switch (signal) {
      case TRACES -> ExportTraceServiceRequest.getDescriptor();
      case METRICS -> ExportMetricsServiceRequest.getDescriptor();
      case LOGS -> ExportLogsServiceRequest.getDescriptor();
      case PROFILES -> ExportProfilesServiceRequest.getDescriptor();
    };
  }

  static Message parse(Signal signal, byte[] bytes) throws InvalidProtocolBufferException {
    return switch (signal) {
      case TRACES -> ExportTraceServiceRequest.parseFrom(bytes);
      case METRICS -> ExportMetricsServiceRequest.parseFrom(bytes);
      case LOGS -> ExportLogsServiceRequest.parseFrom(bytes);
      case PROFILES -> ExportProfilesServiceRequest.parseFrom(bytes);
    };
  }

  /** As {@link #parse}; null if protobuf-java refuses the bytes. */
  static Message parseOrNull(Signal signal, byte[] bytes) {
    try {
      return parse(signal, bytes);
    } catch (InvalidProtocolBufferException e) {
      return null;
    }
  }

  /** Why a scanner refuses a request; null if it does not. */
  static String refusal(RequestScanner scanner, Signal signal, byte[] bytes) {
    try {
      scanner.scan(signal, surrounded(bytes));
      return null;
    } catch (MalformedRequestException e) {
      return e.getMessage();
    }
  }

  /** Items in a decoded request. */
  static int items(Message request) {
    return switch (request) {
      case ExportTraceServiceRequest traces ->
          traces.getResourceSpansList().stream()
              .flatMap(r -> r.getScopeSpansList().stream())
              .mapToInt(s -> s.getSpansCount())
              .sum();
      case ExportLogsServiceRequest logs ->
          logs.getResourceLogsList().stream()
              .flatMap(r -> r.getScopeLogsList().stream())
              .mapToInt(s -> s.getLogRecordsCount())
              .sum();
      case ExportMetricsServiceRequest metrics ->
          metrics.getResourceMetricsList().stream()
              .flatMap(r -> r.getScopeMetricsList().stream())
              .flatMap(s -> s.getMetricsList().stream())
              .mapToInt(Requests::points)
              .sum();
      case ExportProfilesServiceRequest profiles ->
          profiles.getResourceProfilesList().stream()
              .flatMap(r -> r.getScopeProfilesList().stream())
              .mapToInt(s -> s.getProfilesCount())
              .sum();
      default -> throw new AssertionError(request);
    };
  }

  private static int points(Metric metric) {
    return switch (metric.getDataCase()) {
      case GAUGE -> metric.getGauge().getDataPointsCount();
      case SUM -> metric.getSum().getDataPointsCount();
      case HISTOGRAM -> metric.getHistogram().getDataPointsCount();
      case EXPONENTIAL_HISTOGRAM -> metric.getExponentialHistogram().getDataPointsCount();
      case SUMMARY -> metric.getSummary().getDataPointsCount();
      case DATA_NOT_SET -> 0;
    };
  }

  /**
   * Data points by the text of the protobuf specification: a oneof member clears the others. It
   * differs from what protobuf-java decodes where a member comes back after another one.
   */
  static int pointsByOneofRule(byte[] request) throws IOException {
    int points = 0;
    CodedInputStream metricsRequest = CodedInputStream.newInstance(request);
    for (ByteString resource = child(metricsRequest, 1);
        resource != null;
        resource = child(metricsRequest, 1)) {
      CodedInputStream resourceMetrics = resource.newCodedInput();
      for (ByteString scope = child(resourceMetrics, 2);
          scope != null;
          scope = child(resourceMetrics, 2)) {
        CodedInputStream scopeMetrics = scope.newCodedInput();
        for (ByteString metric = child(scopeMetrics, 2);
            metric != null;
            metric = child(scopeMetrics, 2)) {
          points += metricPointsByOneofRule(metric);
        }
      }
    }
    return points;
  }

  private static int metricPointsByOneofRule(ByteString metric) throws IOException {
    int points = 0;
    int member = 0;
    CodedInputStream in = metric.newCodedInput();
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      boolean isData =
          WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED
              && switch (WireFormat.getTagFieldNumber(tag)) {
                case 5, 7, 9, 10, 11 -> true;
                default -> false;
              };
      if (!isData) {
        in.skipField(tag);
        continue;
      }
      if (tag != member) {
        points = 0;
        member = tag;
      }
      CodedInputStream data = in.readBytes().newCodedInput();
      while (child(data, 1) != null) {
        points++;
      }
    }
    return points;
  }

  private static ByteString child(CodedInputStream in, int number) throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (tag == (number << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED)) {
        return in.readBytes();
      }
      in.skipField(tag);
    }
    return null;
  }

  /** A length-delimited field. */
  static ByteString record(int number, ByteString body) {
    ByteString.Output out = ByteString.newOutput();
    try {
      CodedOutputStream coded = CodedOutputStream.newInstance(out);
      coded.writeBytes(number, body);
      coded.flush();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toByteString();
  }

  /** The bytes somewhere inside a larger array, as a receiver hands them on. */
  static Slice surrounded(byte[] bytes) {
    byte[] array = new byte[bytes.length + 7];
    Arrays.fill(array, (byte) 0xff);
    System.arraycopy(bytes, 0, array, 3, bytes.length);
    return new Slice(array, 3, bytes.length);
  }
}
