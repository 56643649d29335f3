package io.spillway.otlp.rpc;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A {@code google.rpc.Status}, with the {@code RetryInfo} it may carry. One of bad data
 * (INVALID_ARGUMENT) is encoded with a {@code BadRequest} that says the message again, for senders
 * that look only there; it is not read.
 *
 * <p>Encoded it stays below 4 MiB: a longer message is cut. A code that a peer sends outside 0 to
 * 16 is read as 2, UNKNOWN, as gRPC libraries do.
 *
 * @param code a canonical gRPC status code, 0 to 16
 * @param retryDelay from {@code google.rpc.RetryInfo}; null if absent. What a peer sends is read
 *     into 0 to 10 000 years
 */
public record RpcStatus(int code, String message, @Nullable Duration retryDelay) {

  private static final int CODE = 0x08;
  private static final int MESSAGE = 0x12;
  private static final int DETAILS = 0x1a;
  private static final int ANY_TYPE_URL = 0x0a;
  private static final int ANY_VALUE = 0x12;

  // google.rpc.BadRequest and its FieldViolation
  private static final String BAD_REQUEST_URL = "type.googleapis.com/google.rpc.BadRequest";
  private static final int FIELD_VIOLATIONS = 0x0a;
  private static final int DESCRIPTION = 0x12;

  /** A longer message is not said twice. */
  private static final int MAX_VIOLATION_CHARS = 2048;

  private static final int UNKNOWN = 2;
  private static final int INVALID_ARGUMENT = 3;
  private static final int HIGHEST_CODE = 16;

  public byte[] toProtobuf() {
    FieldWriter status =
        new FieldWriter().varint(CODE, code).bytes(MESSAGE, ResponseText.utf8(message));
    if (retryDelay != null) {
      byte[] any =
          new FieldWriter()
              .bytes(ANY_TYPE_URL, RetryInfo.TYPE_URL.getBytes(StandardCharsets.US_ASCII))
              .message(ANY_VALUE, RetryInfo.toProtobuf(retryDelay))
              .toByteArray();
      status.message(DETAILS, any);
    }
    if (isBadRequest()) {
      status.message(DETAILS, badRequest());
    }
    return status.toByteArray();
  }

  /** OTLP §OTLP/HTTP Bad Data: the details of bad data should hold what is bad. */
  private boolean isBadRequest() {
    return code == INVALID_ARGUMENT
        && retryDelay == null
        && message.length() <= MAX_VIOLATION_CHARS;
  }

  private byte[] badRequest() {
    byte[] violation =
        new FieldWriter().bytes(DESCRIPTION, ResponseText.utf8(message)).toByteArray();
    return new FieldWriter()
        .bytes(ANY_TYPE_URL, BAD_REQUEST_URL.getBytes(StandardCharsets.US_ASCII))
        .message(ANY_VALUE, new FieldWriter().message(FIELD_VIOLATIONS, violation).toByteArray())
        .toByteArray();
  }

  /** The ProtoJSON form: {@code {"code":14,"message":"…","details":[{"@type":…}]}}. */
  public byte[] toJson() {
    ByteArrayOutputStream json = new ByteArrayOutputStream();
    append(json, "{\"code\":" + code + ",\"message\":");
    ResponseText.appendJson(json, message);
    if (retryDelay != null) {
      append(json, ",\"details\":[{\"@type\":\"" + RetryInfo.TYPE_URL + "\",\"retryDelay\":\"");
      append(json, RetryInfo.toJson(retryDelay) + "\"}]");
    }
    if (isBadRequest()) {
      append(json, ",\"details\":[{\"@type\":\"" + BAD_REQUEST_URL);
      append(json, "\",\"fieldViolations\":[{\"description\":");
      ResponseText.appendJson(json, message);
      append(json, "}]}]");
    }
    append(json, "}");
    return json.toByteArray();
  }

  private static void append(ByteArrayOutputStream json, String ascii) {
    json.writeBytes(ascii.getBytes(StandardCharsets.US_ASCII));
  }

  /** Unknown details are skipped. */
  public static RpcStatus parse(Slice protobuf) throws MalformedRequestException {
    int code = 0;
    String message = "";
    Duration retryDelay = null;
    FieldReader fields = new FieldReader(protobuf);
    while (fields.next()) {
      switch (fields.tag()) {
        case CODE -> code = (int) fields.varint();
        case MESSAGE -> message = fields.text();
        case DETAILS -> {
          Duration delay = parseDetail(fields.bytes());
          retryDelay = delay != null ? delay : retryDelay;
        }
        default -> fields.skip();
      }
    }
    return new RpcStatus(canonical(code), message, retryDelay);
  }

  private static @Nullable Duration parseDetail(Slice any) throws MalformedRequestException {
    String typeUrl = "";
    Slice value = Slice.EMPTY;
    FieldReader fields = new FieldReader(any);
    while (fields.next()) {
      switch (fields.tag()) {
        case ANY_TYPE_URL -> typeUrl = fields.text();
        case ANY_VALUE -> value = fields.bytes();
        default -> fields.skip();
      }
    }
    return RetryInfo.isType(typeUrl) ? RetryInfo.parse(value) : null;
  }

  /** Lenient: anything missing, or of another type than expected, stays empty. */
  public static RpcStatus parseJson(Slice json) throws MalformedRequestException {
    return StatusJson.parse(json);
  }

  static int canonical(long code) {
    return code >= 0 && code <= HIGHEST_CODE ? (int) code : UNKNOWN;
  }
}
