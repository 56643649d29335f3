package io.spillway.otlp.json;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;

/**
 * Turns an OTLP/JSON export request into the protobuf one. Safe on any thread.
 *
 * <p>Strict where the specification leaves a choice, so that no two readers can understand a
 * request differently: a known key that is there twice, two members of one oneof, {@code null} in
 * an array, an id of a wrong length and enum names are malformed. Unknown keys are ignored, {@code
 * snake_case} ones among them. Requests of signals in development are malformed here.
 */
public final class JsonTranscoder {

  /** JSON values inside each other, those under unknown keys included. */
  private static final int MAX_JSON_DEPTH = 1000;

  static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_JSON_DEPTH)
                  // The request as a whole is limited before it gets here.
                  .maxStringLength(Integer.MAX_VALUE)
                  .build())
          .build();

  static final OtlpSchema SCHEMA = new OtlpSchema(FACTORY);

  /** A request takes about a third of its JSON. */
  private static final int EXPECTED_SHRINKAGE = 3;

  private static final int FIRST_OUTPUT_BYTES = 256;

  private JsonTranscoder() {}

  /**
   * @throws MalformedRequestException naming the JSON path and line of what is wrong
   * @throws PayloadTooLargeException if the protobuf form exceeds {@code maxBytes}
   */
  public static Slice toProtobuf(Signal signal, Slice json, int maxBytes)
      throws MalformedRequestException, PayloadTooLargeException {
    requireStable(signal);
    requireUtf8(json);
    int expected = Math.max(json.length() / EXPECTED_SHRINKAGE, FIRST_OUTPUT_BYTES);
    MessageWriter out = new MessageWriter(expected, maxBytes);
    try (JsonParser parser =
        FACTORY.createParser(
            ObjectReadContext.empty(), json.array(), json.offset(), json.length())) {
      Transcription transcription = new Transcription(parser, out);
      try {
        transcription.request(SCHEMA.request(signal));
      } catch (JacksonException e) {
        throw transcription.malformed(e.getOriginalMessage(), e.getLocation());
      }
    }
    return out.finish();
  }

  /** The schema of a signal in development changes, and with it what its JSON means. */
  static void requireStable(Signal signal) throws MalformedRequestException {
    if (!signal.isStable()) {
      throw new MalformedRequestException(
          signal.label()
              + " request: JSON of a signal in development is not read or written (expected"
              + " protobuf)");
    }
  }

  private static void requireUtf8(Slice json) throws MalformedRequestException {
    int invalid = Utf8Check.firstInvalid(json);
    if (invalid >= 0) {
      throw new MalformedRequestException(
          "request: bad JSON: not UTF-8 at byte %d (expected UTF-8)".formatted(invalid));
    }
    // The parser would take these for the marks of UTF-16 or UTF-32.
    for (int i = 0; i < Math.min(json.length(), 4); i++) {
      if (json.array()[json.offset() + i] == 0) {
        throw new MalformedRequestException(
            "request: bad JSON: a NUL at byte %d (expected UTF-8)".formatted(i));
      }
    }
  }
}
