package io.spillway.exporters;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.spillway.otlp.Slice;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/** Hands bytes to gRPC and takes bytes from it; nothing is parsed here. */
enum SliceMarshaller implements MethodDescriptor.Marshaller<Slice> {
  INSTANCE;

  @Override
  public InputStream stream(Slice bytes) {
    return new SliceStream(bytes);
  }

  /** The length is bounded by the channel's {@code maxInboundMessageSize}. */
  @Override
  public Slice parse(InputStream stream) {
    try {
      return Slice.of(stream.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes itself in one piece, so that the payload is copied once, into gRPC's frames. */
  private static final class SliceStream extends ByteArrayInputStream
      implements Drainable, KnownLength {

    SliceStream(Slice bytes) {
      super(bytes.array(), bytes.offset(), bytes.length());
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      int length = available();
      target.write(buf, pos, length);
      pos += length;
      return length;
    }
  }
}
