package io.spillway.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.config.ConfigurationLoader;
import io.spillway.relay.admin.AdminSteering.Done;
import io.spillway.relay.admin.AdminSteering.Refused;
import io.spillway.relay.admin.AdminSteering.Unknown;
import io.spillway.relay.admin.AdminSteering.Wish;
import io.spillway.routing.egress.OperatorOrder;
import io.spillway.routing.egress.OperatorOrders;
import io.spillway.routing.gate.ExporterPlace;
import io.spillway.routing.gate.RouteConfig;
import io.spillway.routing.gate.RouteSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SteeringTest {
  private static final Instant START = Instant.parse("2026-11-23T06:00:00Z");
  private static final String EU = "otlp_grpc/eu";
  private static final String US = "otlp_grpc/us";
  private static final String ARCHIVE = "file/archive";
  private static final Map<String, ExporterPlace> PLACES =
      Map.of(
          EU, new ExporterPlace("eu", false),
          US, new ExporterPlace("us", false),
          ARCHIVE, new ExporterPlace(null, true));

  @TempDir Path directory;
  private Instant now = START;
  private Steering steering;

  @BeforeEach
  void open() {
    steering = reopened();
  }

  private Steering reopened() {
    Steering opened = new Steering(directory, () -> now);
    opened.retain(routes(EU + ", " + ARCHIVE), PLACES);
    return opened;
  }

  private static List<RouteSettings> routes(String ofPayments) {
    return RouteConfig.readAll(
        ConfigurationLoader.parse(
                "test.yaml",
                """
                routes:
                  - { name: payments, match: { resource: { a: b } }, regions: [eu],
                      exporters: [%s] }
                  - { name: default, exporters: [%s, %s] }
                """
                    .formatted(ofPayments, US, EU),
                Map.of())
            .root(),
        PLACES);
  }

  private static Wish wish(@Nullable Duration lasts) {
    return new Wish("ann", "maintenance", lasts);
  }

  private static OperatorOrder order(String exporter, @Nullable Instant until) {
    return new OperatorOrder(exporter, "operator ann", "maintenance", START, until);
  }

  @Test
  void pin_inTheList_holdsForTheRouteAndSurvivesARestart() throws Exception {
    AtomicInteger changes = new AtomicInteger();
    steering.onChange(changes::incrementAndGet);

    assertThat(steering.pin("payments", ARCHIVE, wish(null))).isInstanceOf(Done.class);

    assertThat(changes).hasValue(1);
    for (Steering each : List.of(steering, reopened())) {
      assertThat(each.orders("payments"))
          .isEqualTo(new OperatorOrders(order(ARCHIVE, null), List.of()));
      assertThat(each.orders("default")).isEqualTo(OperatorOrders.NONE);
    }
    assertThat(steering.release("payments", wish(null))).isInstanceOf(Done.class);
    assertThat(reopened().orders("payments")).isEqualTo(OperatorOrders.NONE);
  }

  @Test
  void pin_notInTheListOrRegion_isRefusedWithTheReason() throws Exception {
    assertThat(steering.pin("default", ARCHIVE, wish(null)))
        .isEqualTo(
            new Refused(
                "exporter file/archive is not in the list of route default (expected one of"
                    + " otlp_grpc/us, otlp_grpc/eu). Nothing was changed."));
    assertThat(steering.pin("payments", US, wish(null)))
        .isEqualTo(
            new Refused(
                "route payments is for regions [eu] only, and exporter otlp_grpc/us is in region"
                    + " us. Nothing was changed."));
    assertThat(steering.pin("paiments", EU, wish(null)))
        .isEqualTo(new Unknown("there is no route paiments; did you mean \"payments\"?"));
    assertThat(steering.pin("payments", "otlp_grpc/ue", wish(null)))
        .isEqualTo(
            new Unknown("exporter otlp_grpc/ue is not configured; did you mean \"otlp_grpc/eu\"?"));
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void pause_exporter_holdsForAllRoutesAndSurvivesARestart() throws Exception {
    assertThat(steering.pause(EU, wish(null))).isInstanceOf(Done.class);

    for (Steering each : List.of(steering, reopened())) {
      for (String route : List.of("payments", "default")) {
        assertThat(each.orders(route))
            .isEqualTo(new OperatorOrders(null, List.of(order(EU, null))));
      }
    }
  }

  @Test
  void pause_lastExporterOfARoute_saysSo() throws Exception {
    steering.pause(EU, wish(null));

    assertThat(((Done) steering.pause(US, wish(null))).body())
        .containsEntry("note", "nothing is left to send to for default: their data stays on disk");
    assertThat(((Done) steering.pin("payments", EU, wish(null))).body())
        .containsEntry(
            "note", "otlp_grpc/eu is paused: the data of the route stays on disk until resume");
  }

  @Test
  void order_withATime_endsByItselfAlsoOverARestart() throws Exception {
    steering.pause(EU, wish(Duration.ofMinutes(30)));
    now = START.plus(Duration.ofMinutes(29));
    assertThat(reopened().orders("payments").pauses())
        .containsExactly(order(EU, START.plus(Duration.ofMinutes(30))));

    now = START.plus(Duration.ofMinutes(30));

    assertThat(steering.orders("payments")).isEqualTo(OperatorOrders.NONE);
    assertThat(reopened().orders("payments")).isEqualTo(OperatorOrders.NONE);
  }

  @Test
  void releaseAndResume_nothingToLift_areRefused() throws Exception {
    assertThat(steering.release("payments", wish(null)))
        .isEqualTo(new Refused("route payments is not pinned. Nothing was changed."));
    assertThat(steering.resume(EU, wish(null)))
        .isEqualTo(new Refused("exporter otlp_grpc/eu is not paused. Nothing was changed."));
  }

  @Test
  void retain_routeOrExporterGone_dropsTheOrder() throws Exception {
    steering.pin("payments", ARCHIVE, wish(null));
    steering.pause(US, wish(null));
    steering.pause(EU, wish(null));

    steering.retain(routes(EU), Map.of(EU, PLACES.get(EU), ARCHIVE, PLACES.get(ARCHIVE)));

    assertThat(steering.orders("payments"))
        .isEqualTo(new OperatorOrders(null, List.of(order(EU, null))));
    assertThat(reopened().orders("payments"))
        .isEqualTo(new OperatorOrders(null, List.of(order(EU, null))));
  }

  @Test
  void pause_cannotBeWritten_changesNothing() throws Exception {
    Files.createDirectory(directory.resolve("operator.json.next"));

    assertThatThrownBy(() -> steering.pause(EU, wish(null)))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(directory.resolve("operator.json") + ": cannot be written: ");
    assertThat(steering.orders("payments")).isEqualTo(OperatorOrders.NONE);
  }

  @Test
  void new_fileDamaged_startsWithoutOrders() throws Exception {
    for (String damage : List.of("", "{", "[]", "{\"pins\":{}}", "{\"pins\":{\"a\":null}}")) {
      Files.writeString(directory.resolve("operator.json"), damage);

      assertThat(reopened().orders("payments")).isEqualTo(OperatorOrders.NONE);
    }
  }
}
