package io.spillway.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.buffer.BlockCipher.Opened;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.LaneId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BlockCipherTest {
  private static final String ONE = "one:" + key(1);
  private static final String TWO = "two:" + key(2);
  private static final LaneId LANE = new LaneId("payments", Signal.TRACES);
  private static final Slice PAYLOAD = Slice.of(LaneFixture.bytes(5000, 5));

  @TempDir Path directory;
  private final AtomicLong nanos = new AtomicLong();
  private Path file;

  static String key(int seed) {
    return Base64.getEncoder().encodeToString(LaneFixture.bytes(32, seed));
  }

  @BeforeEach
  void writeKeys() throws Exception {
    file = directory.resolve("keys");
    Files.writeString(file, "# keys\n\n" + ONE + "\n");
  }

  private BlockCipher cipher() throws Exception {
    return new BlockCipher(KeyRing.open(file, nanos::get), new SecureRandom());
  }

  private static BlockHeader header(long firstItem) {
    return new BlockHeader(
        Signal.TRACES,
        Codec.ZSTD,
        PAYLOAD.length(),
        BlockHeader.crc(PAYLOAD),
        9000,
        7,
        firstItem,
        3,
        1000,
        2000,
        0,
        50_000,
        List.of(new Block.Request(9000, 7)),
        false);
  }

  private static Opened open(BlockCipher cipher, LaneId lane, BlockCipher.Sealed sealed) {
    return BlockCipher.open(cipher, lane, sealed.header(), sealed.payload());
  }

  /** Test case 16 of the GCM specification (McGrew and Viega), AES-256 with associated data. */
  @Test
  void crypt_vectorOfTheSpecification_givesItsCiphertextAndTag() throws Exception {
    HexFormat hex = HexFormat.of();
    byte[] key = hex.parseHex("feffe9928665731c6d6a8f9467308308".repeat(2));
    byte[] plain =
        hex.parseHex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
    byte[] out = new byte[plain.length + BlockCipher.TAG_BYTES];

    BlockCipher.crypt(
        Cipher.ENCRYPT_MODE,
        new SecretKeySpec(key, "AES"),
        hex.parseHex("cafebabefacedbaddecaf888"),
        hex.parseHex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
        Slice.of(plain),
        out,
        0);

    assertThat(hex.formatHex(out))
        .isEqualTo(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                + "76fc6ece0f4e1768cddf8853bb2d551b");
  }

  @Test
  void seal_thenOpen_givesThePayloadAndKeepsTheHeader() throws Exception {
    BlockCipher cipher = cipher();
    BlockCipher.Sealed sealed = cipher.seal(LANE, header(40), PAYLOAD);

    byte[] stored = sealed.header().encode();
    BlockHeader read = BlockHeader.decode(stored, 0, stored.length);
    assertThat(read).isEqualTo(sealed.header());
    assertThat(read.encrypted()).isTrue();
    assertThat(read.start()).isEqualTo(header(40).start());
    assertThat(read.payloadCrc()).isEqualTo(BlockHeader.crc(sealed.payload()));
    assertThat(sealed.payload().length()).isEqualTo(PAYLOAD.length() + BlockCipher.OVERHEAD);
    assertThat(open(cipher, LANE, sealed))
        .isInstanceOfSatisfying(
            Opened.Plain.class,
            opened -> assertThat(opened.payload().toByteArray()).isEqualTo(PAYLOAD.toByteArray()));
  }

  @Test
  void seal_sameBlockTwice_givesDifferentBytes() throws Exception {
    BlockCipher cipher = cipher();

    assertThat(cipher.seal(LANE, header(40), PAYLOAD).payload().toByteArray())
        .isNotEqualTo(cipher.seal(LANE, header(40), PAYLOAD).payload().toByteArray());
  }

  @Test
  void open_movedOrRelabelledBlock_staysLocked() throws Exception {
    BlockCipher cipher = cipher();
    BlockCipher.Sealed a = cipher.seal(LANE, header(40), PAYLOAD);
    BlockCipher.Sealed b = cipher.seal(LANE, header(47), PAYLOAD);
    String wrong = "key \"one\" in " + file + " is not the one a block was encrypted with";

    assertThat(open(cipher, LANE, new BlockCipher.Sealed(a.header(), b.payload())))
        .isEqualTo(new Opened.Locked(wrong));
    assertThat(open(cipher, new LaneId("default", Signal.TRACES), a))
        .isEqualTo(new Opened.Locked(wrong));
  }

  @Test
  void open_keyMissingWrongOrNotConfigured_saysSo() throws Exception {
    BlockCipher.Sealed sealed = cipher().seal(LANE, header(40), PAYLOAD);

    Files.writeString(file, TWO);
    assertThat(open(cipher(), LANE, sealed))
        .isEqualTo(new Opened.Locked("key \"one\" is not in " + file));
    Files.writeString(file, "one:" + key(3));
    assertThat(open(cipher(), LANE, sealed))
        .isEqualTo(
            new Opened.Locked(
                "key \"one\" in " + file + " is not the one a block was encrypted with"));
    assertThat(BlockCipher.open(null, LANE, sealed.header(), sealed.payload()))
        .isEqualTo(
            new Opened.Locked(
                "blocks are encrypted with key \"one\", and no key_file is configured"));
  }

  @Test
  void first_fileRotated_writesWithTheNewKeyAndReadsTheOld() throws Exception {
    BlockCipher cipher = cipher();
    BlockCipher.Sealed before = cipher.seal(LANE, header(40), PAYLOAD);
    Files.writeString(file, TWO + "\n" + ONE);

    assertThat(keyOf(cipher.seal(LANE, header(40), PAYLOAD))).isEqualTo("one");
    nanos.addAndGet(1_000_000_000L);
    assertThat(keyOf(cipher.seal(LANE, header(40), PAYLOAD))).isEqualTo("two");
    assertThat(open(cipher, LANE, before)).isInstanceOf(Opened.Plain.class);
  }

  @Test
  void first_fileGoneOrDamagedLater_goesOnWithTheKeysItHas() throws Exception {
    BlockCipher cipher = cipher();
    Files.writeString(file, "nonsense");
    nanos.addAndGet(1_000_000_000L);
    assertThat(keyOf(cipher.seal(LANE, header(40), PAYLOAD))).isEqualTo("one");
    Files.delete(file);
    nanos.addAndGet(1_000_000_000L);
    assertThat(keyOf(cipher.seal(LANE, header(40), PAYLOAD))).isEqualTo("one");
  }

  private static String keyOf(BlockCipher.Sealed sealed) {
    return new String(
        sealed.payload().sub(0, 3).toByteArray(), java.nio.charset.StandardCharsets.US_ASCII);
  }

  @ParameterizedTest
  @CsvSource({
    "'a:YWJj', 'line 1: key \"a\" has 3 bytes'",
    "'# c\na:!!!', 'line 2: key \"a\" is not Base64'",
    "'nonsense', 'line 1: no key id'",
    "'a b:YWJj', 'line 1: no key id'",
    "'# nothing', 'holds no key'"
  })
  void open_badFile_namesPathLineAndRemedyButNoKey(String content, String problem)
      throws Exception {
    Files.writeString(file, content);

    assertThatThrownBy(() -> KeyRing.check(file))
        .isInstanceOf(KeyFileException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(problem)
        .hasMessageContaining("openssl rand -base64 32")
        .hasMessageNotContainingAny("YWJj", "!!!", "nonsense");
  }

  @Test
  void open_fileMissingOrKeyTwice_isAProblem() throws Exception {
    Files.writeString(file, ONE + "\n" + ONE);
    assertThatThrownBy(() -> KeyRing.check(file))
        .hasMessage(file + ", line 2: key \"one\" is there twice. Remove one");
    Path missing = directory.resolve("missing");
    assertThatThrownBy(() -> KeyRing.check(missing))
        .hasMessage(
            missing + ": cannot be read (NoSuchFileException). Check the path and its owner");
  }
}
