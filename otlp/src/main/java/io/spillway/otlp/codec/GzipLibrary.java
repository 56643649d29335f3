package io.spillway.otlp.codec;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which code deflates and inflates gzip in this process: ISA-L, if its shared library is installed
 * and passes a test, and the JDK's zlib otherwise. Both read what the other writes, and refuse the
 * same, but for members with an incomplete Huffman code and the right checksum, which only ISA-L
 * reads. Safe on any thread.
 */
public final class GzipLibrary {
  /** System property: {@code auto}, which is the default, or {@code jdk}. */
  public static final String PROPERTY = "spillway.gzip";

  private static final Set<String> PROCESSORS = Set.of("amd64", "aarch64");

  private static final Path MAPPED_FILES = Path.of("/proc/self/maps");

  private final @Nullable IsaL isaL;
  private final String description;

  private GzipLibrary(@Nullable IsaL isaL, String description) {
    this.isaL = isaL;
    this.description = description;
  }

  private static volatile GzipLibrary inUse = jdk("nothing else was loaded");

  /**
   * Chooses what this process uses from now on. Takes some tenths of a second of a cold process, so
   * a relay calls it beside its other work; until then, and in commands that do not call it, gzip
   * is the JDK's. Again it does nothing new.
   *
   * @return what is in use and why, for people: {@code ISA-L (…)} or {@code JDK (…)}
   */
  public static String load() {
    GzipLibrary chosen = Chosen.LIBRARY;
    inUse = chosen;
    return chosen.description;
  }

  private static final class Chosen {
    static final GzipLibrary LIBRARY = choose(System.getProperty(PROPERTY, "auto"), IsaL.FILE);
  }

  /** Null if gzip is the JDK's. */
  static @Nullable IsaL isaL() {
    return inUse.isaL;
  }

  /**
   * @param file name that the system's loader looks for
   */
  static GzipLibrary choose(String property, String file) {
    String processor = System.getProperty("os.arch", "");
    return switch (property.toLowerCase(Locale.ROOT)) {
      case "auto" -> {
        if (!PROCESSORS.contains(processor) || ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
          yield jdk(file + " is not used on " + processor);
        }
        yield load(file);
      }
      case "jdk" -> jdk("chosen by " + PROPERTY);
      default ->
          jdk("system property %s: \"%s\" (expected auto or jdk)".formatted(PROPERTY, property));
    };
  }

  private static GzipLibrary jdk(String why) {
    return new GzipLibrary(null, "JDK (" + why + ")");
  }

  private static GzipLibrary load(String file) {
    SymbolLookup library;
    try {
      library = open(file);
    } catch (IllegalArgumentException _) {
      return jdk(file + " not found; package libisal2 makes gzip several times as fast");
    } catch (IllegalCallerException _) {
      return jdk(file + " may not be loaded; --enable-native-access=ALL-UNNAMED allows it");
    }
    try {
      IsaL isaL = new IsaL(library);
      IsaLCheck.run(isaL);
      return new GzipLibrary(isaL, "ISA-L (" + mapped(file) + ")");
    } catch (Exception e) {
      return jdk("%s cannot be used: %s".formatted(file, e.getMessage()));
    }
  }

  // Restricted because a library may do anything; this one is the operating system's own.
  @SuppressWarnings("restricted")
  private static SymbolLookup open(String file) {
    return SymbolLookup.libraryLookup(file, Arena.global());
  }

  @Nullable IsaL library() {
    return isaL;
  }

  @Override
  public String toString() {
    return description;
  }

  /** The file that is behind a name, whose own name has the release in it. */
  private static String mapped(String file) {
    try (Stream<String> lines = Files.lines(MAPPED_FILES, StandardCharsets.UTF_8)) {
      return lines
          .filter(line -> line.contains("/" + file))
          .map(line -> line.substring(line.indexOf('/')))
          .findFirst()
          .orElse(file);
    } catch (IOException | UncheckedIOException _) {
      return file;
    }
  }
}
