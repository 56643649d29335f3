package io.spillway.otlp.json;

import java.math.BigInteger;

/** How a field stands in JSON and on the protobuf wire. */
enum FieldKind {
  MESSAGE(WireType.LEN),
  STRING(WireType.LEN),
  /** Base64, standard or URL-safe, padded or not. */
  BYTES(WireType.LEN),
  /** 16 bytes as hex, unlike ProtoJSON (OTLP §JSON Protobuf Encoding). */
  TRACE_ID(WireType.LEN),
  /** 8 bytes as hex. */
  SPAN_ID(WireType.LEN),
  BOOL(WireType.VARINT),
  DOUBLE(WireType.I64),
  ENUM(WireType.VARINT, signed(32)),
  INT32(WireType.VARINT, signed(32)),
  SINT32(WireType.VARINT, signed(32)),
  UINT32(WireType.VARINT, unsigned(32)),
  FIXED32(WireType.I32, unsigned(32)),
  INT64(WireType.VARINT, signed(64)),
  UINT64(WireType.VARINT, unsigned(64)),
  FIXED64(WireType.I64, unsigned(64)),
  SFIXED64(WireType.I64, signed(64));

  private final int wireType;
  private final BigInteger min;
  private final BigInteger max;
  private final long minLong;
  private final long maxLong;

  FieldKind(int wireType) {
    this(wireType, new Range(BigInteger.ZERO, BigInteger.ZERO));
  }

  FieldKind(int wireType, Range range) {
    this.wireType = wireType;
    this.min = range.min;
    this.max = range.max;
    this.minLong = min.longValue();
    this.maxLong = max.min(BigInteger.valueOf(Long.MAX_VALUE)).longValue();
  }

  int wireType() {
    return wireType;
  }

  /** Several values in one LEN record, as proto3 packs numbers. */
  boolean isPackable() {
    return wireType != WireType.LEN;
  }

  BigInteger min() {
    return min;
  }

  BigInteger max() {
    return max;
  }

  boolean holds(long value) {
    return value >= minLong && value <= maxLong;
  }

  boolean holds(BigInteger value) {
    return value.compareTo(min) >= 0 && value.compareTo(max) <= 0;
  }

  private static Range signed(int bits) {
    BigInteger end = BigInteger.ONE.shiftLeft(bits - 1);
    return new Range(end.negate(), end.subtract(BigInteger.ONE));
  }

  private static Range unsigned(int bits) {
    return new Range(BigInteger.ZERO, BigInteger.ONE.shiftLeft(bits).subtract(BigInteger.ONE));
  }

  private record Range(BigInteger min, BigInteger max) {}

  /** The wire types of protobuf that OTLP uses. */
  static final class WireType {
    static final int VARINT = 0;
    static final int I64 = 1;
    static final int LEN = 2;
    static final int I32 = 5;

    private WireType() {}
  }
}
