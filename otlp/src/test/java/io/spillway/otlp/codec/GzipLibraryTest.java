package io.spillway.otlp.codec;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GzipLibraryTest {
  @Test
  void choose_auto_takesIsaLWhereItIsInstalled() {
    GzipLibrary library = GzipLibrary.choose("auto", IsaL.FILE);

    if (installed()) {
      assertThat(library.library()).isNotNull();
      assertThat(library).asString().startsWith("ISA-L (/").contains(IsaL.FILE);
    } else {
      assertThat(library.library()).isNull();
      assertThat(library).asString().startsWith("JDK (libisal.so.2 ");
    }
  }

  @Test
  void choose_missingFile_isTheJdkAndSaysHowToHaveIt() {
    GzipLibrary library = GzipLibrary.choose("auto", "libnowhere.so.7");

    assertThat(library.library()).isNull();
    assertThat(library)
        .hasToString(
            "JDK (libnowhere.so.7 not found; package libisal2 makes gzip several times as fast)");
  }

  @Test
  void choose_libraryOfAnotherKind_isTheJdk() {
    GzipLibrary library = GzipLibrary.choose("auto", "libc.so.6");

    assertThat(library.library()).isNull();
    assertThat(library)
        .hasToString("JDK (libc.so.6 cannot be used: it has no function isal_deflate_init)");
  }

  @Test
  void choose_jdk_isTheJdk() {
    GzipLibrary library = GzipLibrary.choose("jdk", IsaL.FILE);

    assertThat(library.library()).isNull();
    assertThat(library).hasToString("JDK (chosen by spillway.gzip)");
  }

  @Test
  void choose_unknownWord_isTheJdkAndSaysSo() {
    GzipLibrary library = GzipLibrary.choose("fast", IsaL.FILE);

    assertThat(library.library()).isNull();
    assertThat(library)
        .hasToString("JDK (system property spillway.gzip: \"fast\" (expected auto or jdk))");
  }

  @Test
  void load_inThisProcess_obeysTheProperty() {
    String used = GzipLibrary.load();

    boolean jdk = "jdk".equals(System.getProperty(GzipLibrary.PROPERTY));
    assertThat(GzipLibrary.isaL() != null).isEqualTo(installed() && !jdk);
    assertThat(used).startsWith(GzipLibrary.isaL() == null ? "JDK (" : "ISA-L (");
    assertThat(GzipLibrary.load()).isEqualTo(used);
  }

  private static boolean installed() {
    return Stream.of("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu")
        .anyMatch(folder -> Files.exists(Path.of(folder, IsaL.FILE)));
  }
}
