package io.spillway.relay.buffer;

import io.spillway.exporters.RequestFormat;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.json.JsonWriter;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The files that one lane is exported to: named and, as protobuf, written like those of the {@code
 * file} exporter. A file has another name until it is whole and on the disk. Belongs to one thread.
 */
final class ExportFiles implements AutoCloseable {

  /** What a request becomes in a file. */
  enum Format {
    /** Each request behind its length, as the {@code file} exporter writes it. */
    proto(RequestFormat.PROTO.suffix()),
    /** OTLP/JSON, a request a line. */
    json(RequestFormat.JSON.suffix());

    private final String suffix;

    Format(String suffix) {
      this.suffix = suffix;
    }

    String suffix() {
      return suffix;
    }
  }

  /** A file is followed by the next one once it is this large, like the {@code file} exporter's. */
  static final long ROTATE_BYTES = 64L << 20;

  private static final String PART = ".part";
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

  private final Path directory;
  private final Signal signal;
  private final Format format;
  private final long rotateBytes;
  private final List<Written> written = new ArrayList<>();
  private @Nullable Open open;
  private long hidden;

  /** A file that is whole. */
  record Written(Path file, long requests, long items, long bytes) {}

  private static final class Open {
    final Path part;
    final Path whole;
    final FileChannel channel;
    final OutputStream out;
    long requests;
    long items;
    long bytes;

    Open(Path whole) throws IOException {
      this.whole = whole;
      this.part = whole.resolveSibling(whole.getFileName() + PART);
      this.channel =
          FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      this.out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
    }
  }

  /**
   * @param directory made with the first file; a file in it is never replaced
   * @param format of signals in development, which have no JSON here, always {@link Format#proto}
   */
  ExportFiles(Path directory, Signal signal, Format format, long rotateBytes) {
    this.directory = directory;
    this.signal = signal;
    this.format = signal.isStable() ? format : Format.proto;
    this.rotateBytes = rotateBytes;
  }

  /**
   * @param accepted names the file, if it is the first request in it
   */
  void append(Slice request, int items, Instant accepted)
      throws IOException, MalformedRequestException {
    byte[] head = {};
    byte[] tail = {};
    Slice body = request;
    if (format == Format.json) {
      JsonWriter.Json json = JsonWriter.write(signal, request);
      hidden += json.unknownBytes();
      body = json.text();
      tail = new byte[] {'\n'};
    } else {
      head = varint(request.length());
    }
    Open file = open;
    if (file == null || file.bytes >= rotateBytes) {
      finish();
      file = create(accepted);
      open = file;
    }
    file.out.write(head);
    file.out.write(body.array(), body.offset(), body.length());
    file.out.write(tail);
    file.requests++;
    file.items += items;
    file.bytes += (long) head.length + body.length() + tail.length;
  }

  /** Completes the last file; all that were written. */
  List<Written> finish() throws IOException {
    Open file = open;
    if (file != null) {
      file.out.flush();
      file.channel.force(true);
      file.channel.close();
      open = null;
      Files.move(file.part, file.whole); // fails rather than replace
      forceDirectory();
      written.add(new Written(file.whole, file.requests, file.items, file.bytes));
    }
    return List.copyOf(written);
  }

  /** Bytes of unknown fields that JSON left out. */
  long hidden() {
    return hidden;
  }

  /** Removes a file that is not whole. */
  @Override
  public void close() throws IOException {
    Open file = open;
    open = null;
    if (file != null) {
      file.channel.close();
      Files.deleteIfExists(file.part);
    }
  }

  private Open create(Instant accepted) throws IOException {
    Files.createDirectories(directory);
    String name = signal.label() + "-" + TIME.format(accepted);
    // Files of one second differ by their number; those before it are all our own.
    for (int number = 0; ; number++) {
      Path file = directory.resolve(name + "-" + number + format.suffix());
      if (written.stream().noneMatch(w -> w.file().equals(file))) {
        return new Open(file);
      }
    }
  }

  private void forceDirectory() throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static byte[] varint(int value) {
    byte[] bytes = new byte[5];
    int length = 0;
    int rest = value;
    for (; rest > 0x7f; rest >>>= 7) {
      bytes[length++] = (byte) (rest | 0x80);
    }
    bytes[length++] = (byte) rest;
    return java.util.Arrays.copyOf(bytes, length);
  }
}
