package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.google.protobuf.Message;
import io.spillway.otlp.Signal;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random and damaged requests: our verdict and count against protobuf-java's. */
@DisplayName("RequestScanner agrees with protobuf-java")
class RequestScannerDifferentialTest {
  private static final int REQUESTS = 4_000;
  private static final int MUTANTS_EACH = 10;

  /**
   * The reasons for which we refuse what protobuf-java accepts. It cuts tags and lengths down to 32
   * bits, and does not look at the continuation bit of some tenth bytes; upb refuses all of these.
   */
  private static final List<String> STRICTER =
      List.of(
          "is too large (expected at most 32 bits in 5 bytes)", "varint is longer than 10 bytes");

  private final RequestScanner scanner = new RequestScanner();
  private int accepted;
  private int refused;
  private int stricter;

  // conformance: W-51
  @ParameterizedTest
  @EnumSource(value = Signal.class, names = "PROFILES", mode = EnumSource.Mode.EXCLUDE)
  void scan_generatedAndMutated_sameVerdictAndCount(Signal signal) throws IOException {
    long seed = Long.getLong("spillway.test.seed", System.nanoTime());
    System.out.println("RequestScannerDifferentialTest " + signal + ": seed " + seed);
    Random random = new Random(seed);
    WireGenerator generator = new WireGenerator(random);
    Mutator mutator = new Mutator(random);

    for (int i = 0; i < REQUESTS; i++) {
      byte[] request = generator.request(signal);
      compare(signal, request, seed);
      for (int j = 0; j < MUTANTS_EACH; j++) {
        compare(signal, mutator.mutate(request), seed);
      }
    }

    assertThat(accepted).as("seed %d", seed).isGreaterThan(REQUESTS);
    assertThat(refused).as("seed %d", seed).isGreaterThan(REQUESTS);
    assertThat(stricter).as("seed %d", seed).isLessThan(refused / 10);
  }

  private void compare(Signal signal, byte[] request, long seed) throws IOException {
    Message decoded = Requests.parseOrNull(signal, request);
    String refusal = Requests.refusal(scanner, signal, request);
    if (refusal == null) {
      accepted++;
      if (decoded == null) {
        fail(context(signal, request, seed) + ": accepted, but protobuf-java refuses it");
      } else if (!sameCounts(signal, request, decoded)) {
        fail(context(signal, request, seed) + ": counted " + scanner.items() + " items");
      }
    } else {
      refused++;
      if (decoded != null) {
        stricter++;
        if (STRICTER.stream().noneMatch(refusal::contains)) {
          fail(context(signal, request, seed) + ": " + refusal);
        }
      }
    }
  }

  private boolean sameCounts(Signal signal, byte[] request, Message decoded) throws IOException {
    int expected = Requests.items(decoded);
    if (signal == Signal.METRICS && scanner.items() != expected) {
      expected = Requests.pointsByOneofRule(request);
    }
    int sum = 0;
    for (int i = 0; i < scanner.resources(); i++) {
      sum += scanner.items(i);
    }
    return scanner.items() == expected && sum == expected;
  }

  private static String context(Signal signal, byte[] request, long seed) {
    return "seed " + seed + " " + signal + " " + HexFormat.of().formatHex(request);
  }

  /** Damages requests the way networks, disks and attackers do. */
  private static final class Mutator {
    private static final byte[] TELLING = {0, 1, 7, 0x0a, 0x12, 0x7f, (byte) 0x80, (byte) 0xff};

    private final Random random;

    Mutator(Random random) {
      this.random = random;
    }

    byte[] mutate(byte[] request) {
      byte[] mutant = request;
      for (int i = random.nextInt(3); i >= 0; i--) {
        mutant = once(mutant);
      }
      return mutant;
    }

    private byte[] once(byte[] in) {
      if (in.length == 0) {
        return new byte[] {telling()};
      }
      int at = random.nextInt(in.length);
      return switch (random.nextInt(6)) {
        case 0 -> set(in, at, (byte) (in[at] ^ (1 << random.nextInt(8))));
        case 1 -> set(in, at, telling());
        case 2 -> Arrays.copyOf(in, at);
        case 3 -> splice(in, at, at, new byte[] {telling()});
        case 4 -> splice(in, at, Math.min(in.length, at + 1 + random.nextInt(4)), new byte[0]);
        default -> splice(in, at, at, Arrays.copyOfRange(in, random.nextInt(at + 1), at));
      };
    }

    private byte telling() {
      return TELLING[random.nextInt(TELLING.length)];
    }

    private static byte[] set(byte[] in, int at, byte value) {
      byte[] out = in.clone();
      out[at] = value;
      return out;
    }

    private static byte[] splice(byte[] in, int from, int to, byte[] with) {
      byte[] out = new byte[in.length - (to - from) + with.length];
      System.arraycopy(in, 0, out, 0, from);
      System.arraycopy(with, 0, out, from, with.length);
      System.arraycopy(in, to, out, from + with.length, in.length - to);
      return out;
    }
  }
}
