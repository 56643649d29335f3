package io.spillway.routing.egress;

import io.spillway.otlp.Codec;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Slice;
import io.spillway.otlp.codec.BlockCompressor;
import io.spillway.otlp.stage.ExportRequest;
import io.spillway.otlp.stage.Exporter;
import java.io.Serial;
import java.util.List;

/** Makes requests of pieces: stored bytes as they are where that is possible. */
final class Requests implements AutoCloseable {
  private final BlockCompressor compressor = new BlockCompressor();

  /** Says which piece cannot be read. Carries no stack trace. */
  static final class UnreadableException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    private final transient Piece piece;

    UnreadableException(Piece piece, MalformedRequestException cause) {
      super(cause.getMessage(), null, false, false);
      this.piece = piece;
    }

    Piece piece() {
      return piece;
    }
  }

  /** One request of all pieces in order. */
  ExportRequest of(List<Piece> pieces, Exporter exporter) throws UnreadableException {
    Piece first = pieces.getFirst();
    Codec codec = exporter.codec();
    int length = pieces.stream().mapToInt(piece -> piece.length).sum();
    int items = pieces.stream().mapToInt(piece -> piece.items).sum();
    boolean asStored =
        pieces.size() == 1
            && first.isWhole()
            && !first.mustBeCompressedAnew()
            && exporter.takesAsStored(first.held.block);
    Slice payload =
        asStored
            ? first.held.block.payload()
            : compressor.compress(codec, uncompressed(pieces, length));
    return new ExportRequest(first.held.block.signal(), codec, payload, length, items);
  }

  private static Slice uncompressed(List<Piece> pieces, int length) throws UnreadableException {
    if (pieces.size() == 1) {
      return bytes(pieces.getFirst());
    }
    byte[] all = new byte[length];
    int at = 0;
    for (Piece piece : pieces) {
      at = bytes(piece).copyTo(all, at);
    }
    return Slice.of(all);
  }

  private static Slice bytes(Piece piece) throws UnreadableException {
    try {
      return piece.bytes();
    } catch (MalformedRequestException e) {
      throw new UnreadableException(piece, e);
    }
  }

  @Override
  public void close() {
    compressor.close();
  }
}
