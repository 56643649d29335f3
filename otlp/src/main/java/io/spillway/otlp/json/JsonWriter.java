package io.spillway.otlp.json;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.wire.RequestScanner;
import java.io.ByteArrayOutputStream;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;

/**
 * Turns a protobuf export request into OTLP/JSON, on one line: lowerCamelCase keys in the order of
 * field numbers, ids in hex, other bytes in base64, 64-bit integers as strings, enums as integers,
 * what is not finite by its name (OTLP §JSON Protobuf Encoding, ProtoJSON). Default values that
 * protobuf leaves out are left out. Safe on any thread.
 *
 * <p>For every request without unknown fields whose ids have the length that OTLP demands, {@link
 * JsonTranscoder} makes the same request of the result again.
 */
public final class JsonWriter {

  /** JSON of a request is about three times as long. */
  private static final int EXPECTED_GROWTH = 3;

  private JsonWriter() {}

  /**
   * A request as text.
   *
   * @param text UTF-8, without a line break
   * @param unknownBytes of fields that the schema does not know, which JSON cannot show; they are
   *     missing from the text
   */
  public record Json(Slice text, long unknownBytes) {}

  /**
   * @throws MalformedRequestException if it is not a valid request of this signal, or the signal is
   *     in development
   */
  public static Json write(Signal signal, Slice request) throws MalformedRequestException {
    JsonTranscoder.requireStable(signal);
    new RequestScanner().scan(signal, request);
    ByteArrayOutputStream out =
        new ByteArrayOutputStream(Math.multiplyExact(request.length() + 1, EXPECTED_GROWTH));
    try (JsonGenerator generator =
        JsonTranscoder.FACTORY.createGenerator(ObjectWriteContext.empty(), out)) {
      MessagePrinter printer = new MessagePrinter(generator);
      printer.print(JsonTranscoder.SCHEMA.request(signal), request);
      generator.flush();
      return new Json(Slice.of(out.toByteArray()), printer.unknownBytes());
    }
  }
}
