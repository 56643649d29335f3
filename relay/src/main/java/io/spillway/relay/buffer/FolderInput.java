package io.spillway.relay.buffer;

import io.spillway.exporters.RequestFileReader;
import io.spillway.exporters.RequestFormat;
import io.spillway.otlp.Codec;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.json.JsonTranscoder;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.wire.RequestScanner;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Requests of one signal in the files below a folder that {@code buffer export} or a {@code file}
 * exporter wrote, in the order of their names; a block for each. Items are numbered from 0.
 */
public final class FolderInput implements ReplayInput {
  /** The folder itself, and one for each route. */
  private static final int MAX_DEPTH = 2;

  private static final int MAX_REQUEST_BYTES = 64 << 20;

  private final Path folder;
  private final Signal signal;
  private final long fromItem;
  private final PrintWriter err;

  /**
   * @param fromItem requests that end at or before this item are left out
   */
  public FolderInput(Path folder, Signal signal, long fromItem, PrintWriter err) {
    this.folder = folder;
    this.signal = signal;
    this.fromItem = fromItem;
    this.err = err;
  }

  @Override
  public String name() {
    return folder + " " + signal.label();
  }

  @Override
  public long items() throws IOException {
    long items = 0;
    try (FileBlocks blocks = new FileBlocks(new PrintWriter(java.io.Writer.nullWriter()))) {
      for (Block b = blocks.next(); b != null; b = blocks.next()) {
        items += b.items();
      }
    }
    return items;
  }

  @Override
  public Blocks open() throws IOException {
    return new FileBlocks(err);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> all = Files.walk(folder, MAX_DEPTH)) {
      return all.filter(this::isOurs).sorted().toList();
    }
  }

  private boolean isOurs(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.startsWith(signal.label() + "-")
        && RequestFormat.isRequestFile(name)
        && Files.isRegularFile(file);
  }

  private final class FileBlocks implements Blocks {
    private final Deque<Path> rest = new ArrayDeque<>(files());
    private final RequestScanner scanner = new RequestScanner();
    private final PrintWriter complaints;
    private @Nullable Path file;
    private @Nullable RequestFileReader reader;
    private long nextItem;
    private long number;
    private long unreadable;

    FileBlocks(PrintWriter complaints) throws IOException {
      this.complaints = complaints;
    }

    @Override
    public @Nullable Block next() throws IOException {
      while (true) {
        Slice request;
        try {
          request = request();
          if (request == null) {
            return null;
          }
          scanner.inspect(signal, request);
        } catch (MalformedRequestException | PayloadTooLargeException e) {
          complain(String.valueOf(e.getMessage()));
          continue;
        }
        long first = nextItem;
        nextItem += scanner.items();
        if (nextItem > fromItem && scanner.items() > 0) {
          return block(request, first, scanner.items());
        }
      }
    }

    private Block block(Slice request, long first, int items) {
      return new Block(
          signal,
          Codec.NONE,
          number++,
          first,
          items,
          List.of(new Block.Request(request.length(), items)),
          request.length(),
          request,
          Instant.EPOCH,
          Instant.EPOCH,
          true);
    }

    private @Nullable Slice request()
        throws IOException, MalformedRequestException, PayloadTooLargeException {
      while (true) {
        Slice next = reader == null ? null : read(reader);
        if (next != null) {
          return next;
        }
        if (!nextFile()) {
          return null;
        }
      }
    }

    /** The next request in protobuf; null at the end, also of what can be read of a bad file. */
    private @Nullable Slice read(RequestFileReader open)
        throws MalformedRequestException, PayloadTooLargeException {
      Slice next;
      try {
        next = open.next();
      } catch (IOException e) {
        complain("the rest cannot be read: " + e.getMessage());
        return null;
      }
      if (next == null && open.isCutShort()) {
        complain("the last record is cut short, %d bytes of it".formatted(open.cutOff()));
      }
      return next == null || open.format() == RequestFormat.PROTO
          ? next
          : JsonTranscoder.toProtobuf(signal, next, MAX_REQUEST_BYTES);
    }

    private boolean nextFile() throws IOException {
      close();
      Path next = rest.poll();
      file = next;
      if (next == null) {
        return false;
      }
      reader = RequestFileReader.open(next);
      return true;
    }

    private void complain(String what) {
      unreadable++;
      complaints.println(file + ": " + what);
      complaints.flush();
    }

    @Override
    public long unreadable() {
      return unreadable;
    }

    @Override
    public void close() throws IOException {
      if (reader != null) {
        reader.close();
        reader = null;
      }
    }
  }
}
