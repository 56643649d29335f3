package io.spillway.otlp.json;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.fuzz.FuzzTarget;
import io.spillway.otlp.wire.RequestScanner;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Random;
import java.util.Set;

/**
 * Any bytes as OTLP/JSON: what is accepted gives a request that the scanner and protobuf-java read,
 * that survives the way to JSON and back, and that means what protobuf's own JSON parser
 * understands, where that accepts the text too.
 *
 * <pre>
 *   signal (1 byte)  JSON
 * </pre>
 */
public final class JsonTranscoderFuzz implements FuzzTarget {
  private static final List<Signal> SIGNALS = List.of(Signal.TRACES, Signal.METRICS, Signal.LOGS);
  private static final List<String> FIXTURES = List.of("traces", "metrics", "logs", "events");
  private static final int GENERATED_SEEDS = 20;
  private static final int MAX_SEED_BYTES = 6000;
  private static final int MAX_BYTES = 64 << 10;

  /** They are hex in OTLP, and base64 in protobuf's JSON. */
  private static final Set<String> IDS = Set.of("trace_id", "span_id", "parent_span_id");

  private final RequestScanner scanner = new RequestScanner();

  @Override
  public List<byte[]> seeds() throws Exception {
    List<byte[]> seeds = new ArrayList<>();
    for (int i = 0; i < FIXTURES.size(); i++) {
      seeds.add(seed(Math.min(i, SIGNALS.size() - 1), fixture(FIXTURES.get(i))));
    }
    for (int signal = 0; signal < SIGNALS.size(); signal++) {
      Message prototype = JsonTranscoderPropertyTest.prototype(SIGNALS.get(signal));
      for (int i = 0; i < GENERATED_SEEDS; i++) {
        Random random = new Random(i);
        Message message = new RandomMessages(random).next(prototype);
        byte[] json = new OtlpJsonPrinter(random).print(message).getBytes(StandardCharsets.UTF_8);
        if (json.length < MAX_SEED_BYTES) {
          seeds.add(seed(signal, json));
        }
      }
    }
    return seeds;
  }

  private static byte[] fixture(String name) throws Exception {
    try (InputStream in =
        JsonTranscoderFuzz.class.getResourceAsStream("/fixtures/" + name + ".json")) {
      return Objects.requireNonNull(in, name).readAllBytes();
    }
  }

  private static byte[] seed(int signal, byte[] json) {
    byte[] seed = new byte[1 + json.length];
    seed[0] = (byte) signal;
    System.arraycopy(json, 0, seed, 1, json.length);
    return seed;
  }

  @Override
  public void check(byte[] input) throws Exception {
    if (input.length == 0) {
      return;
    }
    Signal signal = SIGNALS.get((input[0] & 0xff) % SIGNALS.size());
    byte[] json = Arrays.copyOfRange(input, 1, input.length);
    Slice protobuf;
    try {
      protobuf = JsonTranscoder.toProtobuf(signal, Slice.of(json), MAX_BYTES);
    } catch (MalformedRequestException | PayloadTooLargeException e) {
      return;
    }
    require(protobuf.length() <= MAX_BYTES, "the request exceeds the limit");
    Message read = parse(signal, protobuf);
    scanner.scan(signal, protobuf);
    require(scanner.flaw() == null, "the request has a flaw: " + scanner.flaw());

    JsonWriter.Json written = JsonWriter.write(signal, protobuf);
    require(written.unknownBytes() == 0, "the request has unknown fields");
    Slice again = JsonTranscoder.toProtobuf(signal, written.text(), Integer.MAX_VALUE);
    require(parse(signal, again).equals(read), "the way to JSON and back changes it");

    Message reference = reference(signal, new String(json, StandardCharsets.UTF_8));
    require(
        reference == null || withoutIds(reference).equals(withoutIds(read)),
        "protobuf's parser reads it differently");
  }

  private static Message parse(Signal signal, Slice request) throws InvalidProtocolBufferException {
    return JsonTranscoderPropertyTest.prototype(signal)
        .getParserForType()
        .parseFrom(request.toByteArray());
  }

  /** Null where protobuf's parser has nothing to say: it refuses more, and knows more names. */
  private static Message reference(Signal signal, String json) {
    if (json.contains("_") || json.toLowerCase(Locale.ROOT).contains("\\u005f")) {
      return null;
    }
    Message.Builder builder = JsonTranscoderPropertyTest.prototype(signal).newBuilderForType();
    try {
      JsonFormat.parser().ignoringUnknownFields().merge(json, builder);
    } catch (InvalidProtocolBufferException e) {
      return null;
    }
    return builder.build();
  }

  private static Message withoutIds(Message message) {
    Message.Builder builder = message.toBuilder();
    for (FieldDescriptor field : message.getAllFields().keySet()) {
      if (IDS.contains(field.getName())) {
        builder.clearField(field);
      } else if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
        clearIds(message, field, builder);
      }
    }
    return builder.build();
  }

  private static void clearIds(Message message, FieldDescriptor field, Message.Builder builder) {
    if (!field.isRepeated()) {
      builder.setField(field, withoutIds((Message) message.getField(field)));
      return;
    }
    for (int i = 0; i < message.getRepeatedFieldCount(field); i++) {
      builder.setRepeatedField(field, i, withoutIds((Message) message.getRepeatedField(field, i)));
    }
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
