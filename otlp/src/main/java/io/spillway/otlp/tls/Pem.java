package io.spillway.otlp.tls;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Blocks of a PEM file (RFC 7468), which may have others between them. */
final class Pem {
  private static final String BEGIN = "-----BEGIN ";
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,64})-----([^-]*)-----END \\1-----");

  private Pem() {}

  /**
   * What blocks with this label hold, in the file's order.
   *
   * @throws IllegalArgumentException if any block of the file is cut short or not in Base64
   */
  static List<byte[]> blocks(byte[] file, String label) {
    String text = new String(file, StandardCharsets.ISO_8859_1);
    List<byte[]> blocks = new ArrayList<>();
    int ended = 0;
    for (Matcher block = BLOCK.matcher(text); block.find(); ended++) {
      if (block.group(1).equals(label)) {
        blocks.add(Base64.getDecoder().decode(block.group(2).replaceAll("\\s", "")));
      }
    }
    if (ended != text.split(BEGIN, -1).length - 1) {
      throw new IllegalArgumentException("a block has no end");
    }
    return blocks;
  }
}
