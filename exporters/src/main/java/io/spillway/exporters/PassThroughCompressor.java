package io.spillway.exporters;

import io.grpc.Compressor;
import io.spillway.otlp.Codec;
import java.io.OutputStream;

/** Lets gRPC announce a compression while the bytes, compressed long ago, go out as they are. */
record PassThroughCompressor(Codec codec) implements Compressor {

  @Override
  public String getMessageEncoding() {
    return codec.encoding();
  }

  @Override
  public OutputStream compress(OutputStream out) {
    return out;
  }
}
