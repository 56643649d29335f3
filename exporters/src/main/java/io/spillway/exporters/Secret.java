package io.spillway.exporters;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** A secret, or the file it stands in. Never printed. */
sealed interface Secret {
  /** More is not a secret but a mistake. */
  int MAX_BYTES = 64 << 10;

  /** What a header can carry. */
  Pattern PRINTABLE = Pattern.compile("[\\x20-\\x7e]+");

  /**
   * The secret as it is now. May block.
   *
   * @throws IOException saying what is wrong with the file, without what stands in it
   */
  String read() throws IOException;

  /** Written in the configuration. */
  record Text(String value) implements Secret {
    @Override
    public String read() {
      return value;
    }

    @Override
    public String toString() {
      return "[REDACTED]";
    }
  }

  /** In a file, without the white space around it. */
  record File(Path path) implements Secret {
    @Override
    public String read() throws IOException {
      byte[] bytes;
      try (var in = Files.newInputStream(path)) {
        bytes = in.readNBytes(MAX_BYTES + 1);
      } catch (IOException e) {
        throw new IOException("cannot read " + path + " (" + e.getClass().getSimpleName() + ")", e);
      }
      String text = text(bytes);
      if (bytes.length > MAX_BYTES || !PRINTABLE.matcher(text).matches()) {
        throw new IOException(
            path
                + " holds no secret (expected one line of printable ASCII, at most "
                + MAX_BYTES
                + " bytes)");
      }
      return text;
    }

    private static String text(byte[] bytes) {
      try {
        return StandardCharsets.UTF_8
            .newDecoder()
            .decode(ByteBuffer.wrap(bytes))
            .toString()
            .strip();
      } catch (CharacterCodingException e) {
        return "";
      }
    }
  }
}
