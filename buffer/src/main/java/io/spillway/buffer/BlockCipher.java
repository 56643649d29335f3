package io.spillway.buffer;

import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.LaneId;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import org.jspecify.annotations.Nullable;

/**
 * Encrypts the payloads of blocks with AES-256-GCM (NIST SP 800-38D). A sealed payload is
 *
 * <pre>
 *   0             32           44                              44 + N        60 + N
 *   +-------------+------------+-------------------------------+-------------+
 *   | key id,     | nonce,     | the compressed payload of     | tag         |
 *   | zero-padded | 12 random  | N bytes, encrypted            |             |
 *   +-------------+------------+-------------------------------+-------------+
 * </pre>
 *
 * <p>Authenticated with it are the lane's name and the whole {@link BlockHeader} with its two CRCs
 * as zeros, so a block cannot be moved to another place or lane, nor be given other numbers. The
 * payload's CRC covers the sealed bytes: damage shows before a key is asked for, and a tag that
 * does not fit a good CRC means a wrong key.
 *
 * <p>Nonces are random, so one key must not seal more than 2^32 blocks (SP 800-38D, section 8.3):
 * more than a year of 100 blocks a second.
 *
 * <p>Safe on any thread.
 */
final class BlockCipher {
  static final int NONCE_BYTES = 12;
  static final int TAG_BYTES = 16;
  private static final int CIPHERTEXT = KeyRing.MAX_ID_BYTES + NONCE_BYTES;

  /** How much longer a payload gets. */
  static final int OVERHEAD = CIPHERTEXT + TAG_BYTES;

  private final KeyRing keys;
  private final SecureRandom random;

  BlockCipher(KeyRing keys, SecureRandom random) {
    this.keys = keys;
    this.random = random;
  }

  /** A block as it is stored. */
  record Sealed(BlockHeader header, Slice payload) {}

  /** What opening gave. */
  sealed interface Opened {
    /** The compressed payload. */
    record Plain(Slice payload) implements Opened {}

    /** Nothing now; {@code reason} says which key is missing or wrong. */
    record Locked(String reason) implements Opened {}
  }

  /**
   * Encrypts.
   *
   * @param plain the block's header as it would be without encryption
   */
  Sealed seal(LaneId lane, BlockHeader plain, Slice payload) throws GeneralSecurityException {
    BlockHeader header = plain.sealed(payload.length() + OVERHEAD, 0);
    Slice sealed = seal(associated(lane, header.withoutCrcs()), payload);
    return new Sealed(plain.sealed(sealed.length(), BlockHeader.crc(sealed)), sealed);
  }

  /**
   * Encrypts bytes that are no block's; the result has the form above.
   *
   * @param associated authenticated with it; see {@link #associated}
   */
  Slice seal(byte[] associated, Slice plain) throws GeneralSecurityException {
    KeyRing.Key key = keys.first();
    byte[] sealed = new byte[plain.length() + OVERHEAD];
    byte[] id = key.id().getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(id, 0, sealed, 0, id.length);
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    System.arraycopy(nonce, 0, sealed, KeyRing.MAX_ID_BYTES, NONCE_BYTES);
    crypt(Cipher.ENCRYPT_MODE, key.secret(), nonce, associated, plain, sealed, CIPHERTEXT);
    return Slice.of(sealed);
  }

  /**
   * Decrypts.
   *
   * @param cipher null if no key file is configured
   * @param stored the payload, with a good CRC
   */
  static Opened open(@Nullable BlockCipher cipher, LaneId lane, BlockHeader header, Slice stored) {
    return open(cipher, associated(lane, header.withoutCrcs()), stored);
  }

  /** Decrypts what {@link #seal(byte[], Slice)} encrypted with the same associated bytes. */
  static Opened open(@Nullable BlockCipher cipher, byte[] associated, Slice stored) {
    if (stored.length() < OVERHEAD) {
      return new Opened.Locked("an encrypted block is too short to hold a key id");
    }
    String id = keyId(stored);
    if (cipher == null) {
      return new Opened.Locked(
          "blocks are encrypted with key \"" + id + "\", and no key_file is configured");
    }
    KeyRing.Key key = cipher.keys.find(id);
    if (key == null) {
      return new Opened.Locked("key \"" + id + "\" is not in " + cipher.keys);
    }
    byte[] nonce = stored.sub(KeyRing.MAX_ID_BYTES, NONCE_BYTES).toByteArray();
    byte[] plain = new byte[stored.length() - OVERHEAD];
    Slice sealed = stored.sub(CIPHERTEXT, stored.length() - CIPHERTEXT);
    try {
      crypt(Cipher.DECRYPT_MODE, key.secret(), nonce, associated, sealed, plain, 0);
      return new Opened.Plain(Slice.of(plain));
    } catch (AEADBadTagException e) {
      return new Opened.Locked(
          "key \"" + id + "\" in " + cipher.keys + " is not the one a block was encrypted with");
    } catch (GeneralSecurityException e) {
      return new Opened.Locked("decrypting failed: " + e.getMessage());
    }
  }

  /** AES-GCM on {@code in}; the result goes to {@code out} from {@code at} on. */
  static void crypt(
      int mode, SecretKey key, byte[] nonce, byte[] associated, Slice in, byte[] out, int at)
      throws GeneralSecurityException {
    Cipher aes = Cipher.getInstance("AES/GCM/NoPadding");
    aes.init(mode, key, new GCMParameterSpec(TAG_BYTES * Byte.SIZE, nonce));
    aes.updateAAD(associated);
    aes.doFinal(in.array(), in.offset(), in.length(), out, at);
  }

  /** What is authenticated with a payload: the lane's name, and a header without its CRCs. */
  static byte[] associated(LaneId lane, byte[] fields) {
    byte[] name = (lane + "\n").getBytes(StandardCharsets.UTF_8);
    byte[] all = Arrays.copyOf(name, name.length + fields.length);
    System.arraycopy(fields, 0, all, name.length, fields.length);
    return all;
  }

  private static String keyId(Slice stored) {
    String padded =
        new String(
            stored.array(), stored.offset(), KeyRing.MAX_ID_BYTES, StandardCharsets.US_ASCII);
    int end = padded.indexOf('\0');
    return end < 0 ? padded : padded.substring(0, end);
  }
}
