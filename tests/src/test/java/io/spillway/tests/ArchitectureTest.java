package io.spillway.tests;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The arrows between the modules, and where each library may be known. */
class ArchitectureTest {

  private static final JavaClasses SPILLWAY =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("/io/spillway/tests/"))
          // What modules share between their tests comes as a jar, which the first option misses.
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages("io.spillway");

  @Test
  void classes_ofEveryModule_areSeen() {
    for (String module :
        List.of("otlp", "config", "receivers", "routing", "buffer", "exporters", "relay")) {
      assertThat(SPILLWAY.that(resideInAPackage("io.spillway." + module + "..")))
          .as("classes of %s", module)
          .hasSizeGreaterThan(3);
    }
    assertThat(SPILLWAY.that(resideInAPackage("io.spillway.tests.."))).isEmpty();
  }

  @Test
  void modules_pointOneWay() {
    layeredArchitecture()
        .consideringOnlyDependenciesInAnyPackage("io.spillway..")
        .layer("relay")
        .definedBy("io.spillway.relay..")
        .layer("receivers")
        .definedBy("io.spillway.receivers..")
        .layer("routing")
        .definedBy("io.spillway.routing..")
        .layer("buffer")
        .definedBy("io.spillway.buffer..")
        .layer("exporters")
        .definedBy("io.spillway.exporters..")
        .layer("otlp")
        .definedBy("io.spillway.otlp..")
        .layer("config")
        .definedBy("io.spillway.config..")
        .whereLayer("relay")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("receivers")
        .mayOnlyBeAccessedByLayers("relay")
        .whereLayer("routing")
        .mayOnlyBeAccessedByLayers("relay")
        .whereLayer("buffer")
        .mayOnlyBeAccessedByLayers("relay")
        .whereLayer("exporters")
        .mayOnlyBeAccessedByLayers("relay")
        .whereLayer("otlp")
        .mayNotAccessAnyLayer()
        .whereLayer("config")
        .mayNotAccessAnyLayer()
        .because(
            "stages meet only in the contract of otlp.stage and are wired by relay alone: any one"
                + " of them can be replaced, and tested by itself")
        .check(SPILLWAY);
  }

  @Test
  void packages_haveNoCycles() {
    slices()
        .matching("io.spillway.(**)")
        .should()
        .beFreeOfCycles()
        .because("a package that needs its user cannot be understood or changed without it")
        .check(SPILLWAY);
  }

  @Test
  void chronicle_isKnownToTheBufferOnly() {
    noClasses()
        .that(not(resideInAPackage("io.spillway.buffer..")))
        .should()
        .dependOnClassesThat(resideInAnyPackage("net.openhft.."))
        .because(
            "as shipped it loses acknowledged records on a full disk: the guards around it are in"
                + " the buffer, and nobody may walk past them")
        .check(SPILLWAY);
  }

  @Test
  void grpcAndNetty_areKnownToTheEdgesOnly() {
    noClasses()
        .that(
            not(
                resideInAnyPackage(
                    "io.spillway.receivers..",
                    "io.spillway.exporters..",
                    "io.spillway.otlp.tls..")))
        .should()
        .dependOnClassesThat(resideInAnyPackage("io.grpc..", "io.netty.."))
        .because(
            "their buffers have owners and their threads must not block; inside it is bytes. What"
                + " both edges need of TLS lies below them, in otlp.tls")
        .check(SPILLWAY);
  }

  @Test
  void micrometer_isKnownToOnePackage() {
    noClasses()
        .that(not(resideInAPackage("io.spillway.relay.telemetry..")))
        .should()
        .dependOnClassesThat(resideInAnyPackage("io.micrometer..", "io.prometheus.."))
        .because(
            "stages report to listeners; the names and tags of meters are decided in one place")
        .check(SPILLWAY);
  }

  @Test
  void zstd_isKnownToTheCodecOnly() {
    noClasses()
        .that(not(resideInAPackage("io.spillway.otlp.codec..")))
        .should()
        .dependOnClassesThat(resideInAnyPackage("com.github.luben.."))
        .because("it is native code: the limits on what it reads and writes are kept in one place")
        .check(SPILLWAY);
  }

  @Test
  void telemetryModel_isKnownToNobody() {
    noClasses()
        .should()
        .dependOnClassesThat(
            resideInAnyPackage("com.google.protobuf..", "io.opentelemetry.proto.."))
        .because("requests stay bytes: an object for each span costs more than all the rest")
        .check(SPILLWAY);
  }
}
