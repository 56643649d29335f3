package io.spillway.otlp.rpc;

import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * An {@code Export<Signal>ServiceResponse}: its protobuf shape is the same for all signals.
 *
 * <p>Encoded it stays below 4 MiB: a longer message is cut, the count is kept.
 *
 * @param rejected items rejected, as the sender of the response claims: may be negative or too
 *     large
 * @param message empty if absent
 */
public record ExportResponse(long rejected, String message) {
  public static final ExportResponse SUCCESS = new ExportResponse(0, "");

  private static final int PARTIAL_SUCCESS = 0x0a;
  private static final int REJECTED = 0x08;
  private static final int ERROR_MESSAGE = 0x12;

  /** 0 bytes on full success (OTLP §Full Success). */
  public byte[] toProtobuf() {
    if (isFullSuccess()) {
      return new byte[0];
    }
    byte[] partial =
        new FieldWriter()
            .varint(REJECTED, rejected)
            .bytes(ERROR_MESSAGE, ResponseText.utf8(message))
            .toByteArray();
    return new FieldWriter().message(PARTIAL_SUCCESS, partial).toByteArray();
  }

  /** {@code {}} on full success. */
  public byte[] toJson(Signal signal) {
    ByteArrayOutputStream json = new ByteArrayOutputStream();
    if (isFullSuccess()) {
      append(json, "{}");
      return json.toByteArray();
    }
    append(json, "{\"partialSuccess\":{");
    if (rejected != 0) {
      append(json, "\"" + signal.rejectedJsonKey() + "\":\"" + rejected + "\"");
    }
    if (!message.isEmpty()) {
      append(json, rejected != 0 ? ",\"errorMessage\":" : "\"errorMessage\":");
      ResponseText.appendJson(json, message);
    }
    append(json, "}}");
    return json.toByteArray();
  }

  private boolean isFullSuccess() {
    return rejected == 0 && message.isEmpty();
  }

  private static void append(ByteArrayOutputStream json, String ascii) {
    json.writeBytes(ascii.getBytes(StandardCharsets.US_ASCII));
  }

  /** An empty {@code partial_success} is full success; several are merged. */
  public static ExportResponse parse(Slice protobuf) throws MalformedRequestException {
    ExportResponse response = SUCCESS;
    FieldReader fields = new FieldReader(protobuf);
    while (fields.next()) {
      if (fields.tag() == PARTIAL_SUCCESS) {
        response = response.merge(fields.bytes());
      } else {
        fields.skip();
      }
    }
    return response;
  }

  /** Lenient: anything missing, or of another type than expected, stays empty. */
  public static ExportResponse parseJson(Signal signal, Slice json)
      throws MalformedRequestException {
    return ResponseJson.parse(signal, json);
  }

  private ExportResponse merge(Slice partialSuccess) throws MalformedRequestException {
    long newRejected = rejected;
    String newMessage = message;
    FieldReader fields = new FieldReader(partialSuccess);
    while (fields.next()) {
      switch (fields.tag()) {
        case REJECTED -> newRejected = fields.varint();
        case ERROR_MESSAGE -> newMessage = fields.text();
        default -> fields.skip();
      }
    }
    return new ExportResponse(newRejected, newMessage);
  }
}
