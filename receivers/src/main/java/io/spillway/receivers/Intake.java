package io.spillway.receivers;

import io.netty.channel.Channel;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Decompression;
import io.spillway.otlp.codec.Encoding;
import io.spillway.otlp.codec.NoRoomException;
import io.spillway.otlp.json.JsonTranscoder;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.Gate;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What both protocols do with a request once it is read: decompress, turn JSON into protobuf,
 * submit. Whatever goes wrong in here becomes an answer. Safe on any thread.
 */
final class Intake {
  /** Asked of a sender that found no room in the admission. */
  static final Duration ADMISSION_RETRY_AFTER = Duration.ofSeconds(1);

  /** Asked of a sender whose request met an error of ours. */
  static final Duration FAILURE_RETRY_AFTER = Duration.ofSeconds(5);

  /** Guess of how much a request grows, reserved before it is decompressed. */
  static final int EXPECTED_RATIO = 8;

  private static final Logger LOG = LoggerFactory.getLogger(OtlpReceiver.class);

  private final Supplier<Gate> gate;
  private final Admission admission;
  private final ReceiverListener listener;
  private final SenderReader senders;
  private final RepeatedWarning failures = new RepeatedWarning(LOG, System::nanoTime);

  Intake(
      Supplier<Gate> gate,
      Admission admission,
      ReceiverListener listener,
      @Nullable TenantConfig tenant) {
    this.gate = gate;
    this.admission = admission;
    this.listener = listener;
    this.senders = new SenderReader(tenant, () -> gate.get().headers());
  }

  Exchange begin(Signal signal, Transport transport) {
    return new Exchange(signal, transport, listener);
  }

  /**
   * Says who sends a request, once and before anything of it is reserved.
   *
   * @param headers gives all values of a header
   * @throws SenderException if the request names no tenant that can be kept; it is to be refused
   */
  void identify(
      Exchange exchange, SenderConnection connection, Function<String, List<String>> headers)
      throws SenderException {
    exchange.from(connection);
    exchange.sender(senders.read(connection, headers));
  }

  /**
   * A connection was opened, which its caller closes.
   *
   * @param session null without TLS
   */
  SenderConnection connected(@Nullable SocketAddress address, @Nullable SSLSession session) {
    return SenderConnection.open(admission, address, () -> session);
  }

  /** A connection was opened, which is closed with its channel. */
  void connected(Channel channel) {
    SenderConnection.open(admission, channel);
  }

  Answer noRoom() {
    return new Answer.Unavailable(
        0,
        ADMISSION_RETRY_AFTER,
        "receiver otlp: requests in flight hold "
            + admission.inFlightBytes()
            + " of "
            + admission.maxBytes()
            + " bytes, and this sender may hold no more of them now. Nothing of this request was"
            + " stored; send it again later.");
  }

  /** The answer to a request that met an error of ours; says so in the log. */
  Answer failed(Exchange exchange, Throwable cause) {
    failures.write(
        "receiver otlp/"
            + exchange.transport().label()
            + ": a "
            + exchange.signal().label()
            + " request failed. Its sender was asked to send it again.",
        cause);
    return new Answer.Unavailable(
        0, FAILURE_RETRY_AFTER, "receiver otlp: internal failure. Send the request again later.");
  }

  /**
   * Takes a complete request body and gives {@code reply} its answer, now or later.
   *
   * @param body the body as it came, in an array that is written no more
   * @param maxBytes limit of the request after decompression
   */
  void take(
      Exchange exchange, Encoding encoding, boolean json, Slice body, int maxBytes, Reply reply) {
    try {
      long expected = expectedBytes(encoding, body, maxBytes);
      if (!exchange.reserve(expected)) {
        reply.answer(noRoom());
        return;
      }
      Decompression.Room room =
          bytes -> exchange.reserve(Math.max(expected, body.retainedBytes() + bytes));
      RequestBytes decompressed;
      try {
        decompressed = Decompression.request(encoding, body, maxBytes, room);
      } catch (MalformedRequestException e) {
        reply.undecodable(new Answer.Invalid(reason(e)));
        return;
      }
      RequestBytes request =
          json ? transcoded(exchange.signal(), decompressed.plain(), maxBytes) : decompressed;
      if (!exchange.reserve(request.retainedBytes())) {
        reply.answer(noRoom());
        return;
      }
      gate.get().submit(exchange.signal(), request, exchange.sender(), reply::answer);
    } catch (MalformedRequestException e) {
      reply.answer(new Answer.Invalid(reason(e)));
    } catch (PayloadTooLargeException e) {
      reply.answer(new Answer.TooLarge(0, reason(e)));
    } catch (NoRoomException e) {
      reply.answer(noRoom());
    } catch (RuntimeException | Error e) {
      // A sender drops what is answered UNKNOWN or 500, and nothing is wrong with its request.
      reply.answer(failed(exchange, e));
    }
  }

  private static RequestBytes transcoded(Signal signal, Slice json, int maxBytes)
      throws MalformedRequestException, PayloadTooLargeException {
    return RequestBytes.of(JsonTranscoder.toProtobuf(signal, json, maxBytes));
  }

  private static String reason(Exception refusal) {
    return Objects.requireNonNullElse(refusal.getMessage(), "no reason given");
  }

  private static long expectedBytes(Encoding encoding, Slice body, int maxBytes) {
    return encoding == Encoding.IDENTITY
        ? body.retainedBytes()
        : Math.min((long) body.length() * EXPECTED_RATIO, maxBytes);
  }

  /** Where the answer to one request goes. Called on any thread; only the first call counts. */
  interface Reply {
    void answer(Answer answer);

    /** The body is not what its encoding says. */
    void undecodable(Answer.Invalid answer);
  }
}
