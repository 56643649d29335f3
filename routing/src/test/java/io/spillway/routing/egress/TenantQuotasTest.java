package io.spillway.routing.egress;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.config.Configuration;
import io.spillway.config.ConfigurationLoader;
import io.spillway.otlp.Codec;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Outcome;
import io.spillway.otlp.stage.WireBytes;
import io.spillway.routing.egress.Quota.Use;
import io.spillway.routing.egress.QuotaSettings.Action;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What each tenant may have sent, and what of an attempt is whose. */
class TenantQuotasTest {
  private static final TenantQuotaSettings REFUSE =
      new TenantQuotaSettings(1000, Map.of("acme", 5000L), Action.REFUSE, 10);

  private final FakeClock clock = new FakeClock();
  private final List<String> made = new ArrayList<>();

  private FlowControl control(Map<String, Use> earlier, TenantQuotaSettings settings) {
    FlowControl control = new FlowControl(clock, clock::nanos, earlier);
    control.onQuota(quota -> made.add(quota.name()));
    control.apply(new FlowConfig(Map.of(), Map.of(), Map.of("pay", settings)));
    return control;
  }

  private static LaneFlow lane(FlowControl control) {
    return control.lane("pay", List.of("otlp_grpc/a"));
  }

  @Test
  void overQuota_isOfEachTenantAlone() {
    LaneFlow flow = lane(control(Map.of(), REFUSE));

    flow.sent("globex", 1000);
    flow.sent("acme", 4999);
    flow.sent("", 1000);

    assertThat(flow.overQuota(null, "globex"))
        .isEqualTo(
            new OverQuota.Refuse(
                Duration.ofMinutes(1),
                "resource exhausted: routes::pay::tenants::globex::quota of 1000 bytes a day is"
                    + " used up until 00:00 UTC"));
    assertThat(flow.overQuota(null, "")).isInstanceOf(OverQuota.Refuse.class);
    assertThat(flow.overQuota(null, "acme")).isNull();
    assertThat(flow.overQuota(null, "another")).isNull();

    flow.sent("acme", 1);
    assertThat(flow.overQuota(null, "acme")).isInstanceOf(OverQuota.Refuse.class);
    assertThat(made)
        .containsExactly(
            "routes::pay::tenants::acme",
            "routes::pay::tenants::globex",
            "routes::pay::tenants::no tenant");
  }

  @Test
  void overQuota_onlyNamedTenants_othersHaveNoBound() {
    LaneFlow flow =
        lane(control(Map.of(), new TenantQuotaSettings(0, Map.of("acme", 10L), Action.SAMPLE, 25)));

    flow.sent("acme", 10);
    flow.sent("globex", 1L << 40);

    assertThat(flow.overQuota(null, "acme")).isEqualTo(new OverQuota.Sample(25));
    assertThat(flow.overQuota(null, "globex")).isNull();
  }

  @Test
  void quotas_afterARestart_goOnWhereTheyWere() {
    FlowControl before = control(Map.of(), REFUSE);
    lane(before).sent("globex", 1500);
    Map<String, Use> saved =
        before.quotas().stream().collect(Collectors.toMap(Quota::name, Quota::use));

    LaneFlow after = lane(control(saved, REFUSE));

    assertThat(after.overQuota(null, "globex")).isInstanceOf(OverQuota.Refuse.class);
    assertThat(after.overQuota(null, "acme")).isNull();
  }

  @Test
  void apply_changedLimit_countsOn() {
    FlowControl control = control(Map.of(), REFUSE);
    lane(control).sent("globex", 1500);

    control.apply(
        new FlowConfig(
            Map.of(),
            Map.of(),
            Map.of("pay", new TenantQuotaSettings(2000, Map.of(), Action.REFUSE, 10))));

    assertThat(lane(control).overQuota(null, "globex")).isNull();
    lane(control).sent("globex", 500);
    assertThat(lane(control).overQuota(null, "globex")).isInstanceOf(OverQuota.Refuse.class);
  }

  @Test
  void sent_moreTenantsThanAreCounted_shareOneQuota() {
    FlowControl control = control(Map.of(), REFUSE);
    LaneFlow flow = lane(control);
    for (int i = 0; i < 10_000; i++) {
      flow.sent("made-up-" + i, 1);
    }

    assertThat(control.quotas()).hasSizeLessThanOrEqualTo(TenantQuotas.MAX_TENANTS + 1);
    assertThat(flow.overQuota(null, "made-up-10000")).isInstanceOf(OverQuota.Refuse.class);
    assertThat(flow.overQuota(null, "acme")).isNull();
    assertThat(flow.overQuota(null, "made-up-1")).isNull();
  }

  @Test
  void divide_severalTenants_partsAddUp() {
    Block.Request first = new Block.Request(100, 2, "acme");
    Block.Request second = new Block.Request(50, 1, "");
    Block.Request third = new Block.Request(151, 3, "acme");
    List<String> shares = new ArrayList<>();

    TenantShares.divide(
        attempt(first, second, third),
        new Outcome.Delivered(1, "one rejected"),
        1001,
        (tenant, bytes, items) -> shares.add(tenant + " " + bytes + " " + items));

    assertThat(shares).containsExactly("acme 835 4", " 166 1");
  }

  @Test
  void divide_oneTenantFailed_costsItAndDeliversNothing() {
    List<String> shares = new ArrayList<>();

    TenantShares.divide(
        attempt(new Block.Request(10, 1, "acme"), new Block.Request(10, 1, "acme")),
        new Outcome.BadData("bad"),
        77,
        (tenant, bytes, items) -> shares.add(tenant + " " + bytes + " " + items));

    assertThat(shares).containsExactly("acme 77 0");
  }

  @Test
  void read_perTenant_isTakenOrAProblem() {
    Configuration good =
        parse("per_tenant: { per_day: 10MiB, tenants: { acme: 1GiB }, action: sample }");
    FlowConfig config = FlowConfig.read(good.root());
    assertThat(good.problems().all()).isEmpty();
    assertThat(config.tenants())
        .containsExactly(
            Map.entry(
                "a",
                new TenantQuotaSettings(10 << 20, Map.of("acme", 1L << 30), Action.SAMPLE, 10)));
    assertThat(config.routes()).isEmpty();

    Configuration bad = parse("per_tenant: { action: next_exporter }");
    var _ = FlowConfig.read(bad.root());
    assertThat(bad.problems().all().stream().map(Object::toString))
        .containsExactly(
            "routes[0]::quota::per_tenant: bounds nobody (expected per_day, tenants or both)",
            "routes[0]::quota::per_tenant::action: next_exporter concerns all data of a lane"
                + " (expected refuse or sample for one tenant)");
  }

  private static Configuration parse(String quota) {
    return ConfigurationLoader.parse(
        "test.yaml", "routes: [ { name: a, exporters: [e], quota: { " + quota + " } } ]", Map.of());
  }

  private static Attempt attempt(Block.Request... requests) {
    int length = 0;
    int items = 0;
    for (Block.Request request : requests) {
      length += request.length();
      items += request.items();
    }
    Block block =
        new Block(
            Signal.LOGS,
            Codec.NONE,
            0,
            0,
            items,
            List.of(requests),
            length,
            Slice.of(new byte[length]),
            Instant.EPOCH,
            Instant.EPOCH,
            false);
    Piece piece = Piece.whole(new Held(block, false));
    return new Attempt(null, List.of(piece), length, length, items, new WireBytes(), null);
  }
}
