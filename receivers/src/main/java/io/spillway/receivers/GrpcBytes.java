package io.spillway.receivers;

import io.grpc.Decompressor;
import io.grpc.DecompressorRegistry;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.Encoding;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Makes gRPC hand over messages as bytes, compressed ones still compressed, so that decompression,
 * its limit and its errors are ours.
 *
 * <p>To gRPC each compression has a decompressor; ours puts one byte in front that names it and
 * passes the stream on. The marshaller tells the two kinds of message apart by type: gRPC gives the
 * length of an uncompressed message ({@link KnownLength}), but never that of a stream that went
 * through a decompressor.
 */
final class GrpcBytes {
  /** Bytes that a decompressor adds to a message; gRPC counts them against its limit. */
  static final int MARKER_BYTES = 1;

  /** The marker of an encoding is its index. */
  private static final List<Encoding> COMPRESSIONS =
      List.of(Encoding.GZIP, Encoding.ZSTD, Encoding.SNAPPY);

  /** What requests may be compressed with, as senders are told. */
  static final String ENCODINGS =
      COMPRESSIONS.stream().map(Encoding::token).collect(Collectors.joining(",", "identity,", ""));

  private GrpcBytes() {}

  /** Whether a message that is declared to be encoded so can be read. */
  static boolean isKnown(String encoding) {
    return encoding.equals("identity")
        || COMPRESSIONS.stream().anyMatch(known -> known.token().equals(encoding));
  }

  /**
   * Declared as a stream of requests, which on the wire is the same: gRPC would cancel a unary call
   * that has a second message, and CANCELLED asks the sender to try again.
   */
  static MethodDescriptor<WireMessage, byte[]> exportMethod(Signal signal) {
    return method(signal.grpcService(), "Export", MethodDescriptor.MethodType.CLIENT_STREAMING);
  }

  static MethodDescriptor<WireMessage, byte[]> method(
      String service, String name, MethodDescriptor.MethodType type) {
    return MethodDescriptor.<WireMessage, byte[]>newBuilder()
        .setType(type)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(service, name))
        .setRequestMarshaller(new RequestMarshaller())
        .setResponseMarshaller(new ResponseMarshaller())
        .build();
  }

  static String fullMethodName(Signal signal) {
    return MethodDescriptor.generateFullMethodName(signal.grpcService(), "Export");
  }

  static DecompressorRegistry decompressors() {
    DecompressorRegistry registry =
        DecompressorRegistry.emptyInstance().with(io.grpc.Codec.Identity.NONE, false);
    for (int i = 0; i < COMPRESSIONS.size(); i++) {
      registry = registry.with(new Marker(i, COMPRESSIONS.get(i).token()), true);
    }
    return registry;
  }

  private record Marker(int marker, String encoding) implements Decompressor {
    @Override
    public String getMessageEncoding() {
      return encoding;
    }

    @Override
    public InputStream decompress(InputStream compressed) {
      return new MarkedStream(marker, compressed);
    }
  }

  /** A stream with one byte in front. */
  private static final class MarkedStream extends FilterInputStream {
    private final int marker;
    private boolean markerRead;

    MarkedStream(int marker, InputStream in) {
      super(in);
      this.marker = marker;
    }

    @Override
    public int read() throws IOException {
      if (markerRead) {
        return in.read();
      }
      markerRead = true;
      return marker;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (markerRead || length == 0) {
        return in.read(bytes, offset, length);
      }
      bytes[offset] = (byte) read();
      return 1;
    }

    @Override
    public boolean markSupported() {
      return false;
    }
  }

  private static final class RequestMarshaller implements MethodDescriptor.Marshaller<WireMessage> {
    @Override
    public InputStream stream(WireMessage value) {
      throw new UnsupportedOperationException("a server sends no requests");
    }

    /** Never throws: gRPC would answer UNKNOWN, which makes the sender drop its data. */
    @Override
    public WireMessage parse(InputStream stream) {
      try {
        Encoding encoding =
            stream instanceof KnownLength ? Encoding.IDENTITY : COMPRESSIONS.get(stream.read());
        return new WireMessage.Bytes(encoding, Slice.of(readAll(stream)));
      } catch (IOException | RuntimeException | OutOfMemoryError e) {
        return new WireMessage.Unreadable(e);
      }
    }

    /** The message is in memory, so {@code available} is all of it: one copy. */
    private static byte[] readAll(InputStream stream) throws IOException {
      byte[] bytes = new byte[stream.available()];
      int length = stream.readNBytes(bytes, 0, bytes.length);
      if (length != bytes.length || stream.read() >= 0) {
        throw new IOException("message of " + bytes.length + " bytes has another length");
      }
      return bytes;
    }
  }

  private static final class ResponseMarshaller implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new KnownBytes(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      throw new UnsupportedOperationException("a server reads no responses");
    }
  }

  private static final class KnownBytes extends ByteArrayInputStream implements KnownLength {
    KnownBytes(byte[] bytes) {
      super(bytes);
    }
  }
}
