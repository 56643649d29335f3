package io.spillway.otlp.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.profiles.v1development.Profile;
import io.opentelemetry.proto.profiles.v1development.ProfilesDictionary;
import io.opentelemetry.proto.profiles.v1development.ResourceProfiles;
import io.opentelemetry.proto.profiles.v1development.ScopeProfiles;
import io.opentelemetry.proto.resource.v1.Resource;
import io.spillway.otlp.MalformedRequestException;
import io.spillway.otlp.PayloadTooLargeException;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Requests of profiles: read down to the profile, and never taken apart or put together. */
class ProfilesTest {
  private final RequestScanner scanner = new RequestScanner();

  // conformance: W-10, G-32
  @Test
  void scan_profiles_countsProfilesAndReadsResources() throws Exception {
    ExportProfilesServiceRequest request =
        ExportProfilesServiceRequest.newBuilder()
            .addResourceProfiles(resource("a", 2))
            .setDictionary(dictionary("cpu"))
            .addResourceProfiles(resource("b", 3))
            .build();

    scanner.scan(Signal.PROFILES, Requests.surrounded(request.toByteArray()));

    assertThat(scanner.items()).isEqualTo(5);
    assertThat(scanner.resources()).isEqualTo(2);
    assertThat(scanner.items(1)).isEqualTo(3);
    assertThat(scanner.attribute(1, "service.name")).isEqualTo("b");
  }

  // conformance: W-03
  @Test
  void otherFields_profiles_isTheDictionary() throws Exception {
    ProfilesDictionary dictionary = dictionary("cpu");
    byte[] request =
        ExportProfilesServiceRequest.newBuilder()
            .addResourceProfiles(resource("a", 2))
            .setDictionary(dictionary)
            .build()
            .toByteArray();

    scanner.scan(Signal.PROFILES, Slice.of(request));

    assertThat(scanner.otherFields().toByteArray())
        .isEqualTo(Requests.record(2, dictionary.toByteString()).toByteArray());
  }

  /** V80: the second request's index 1 would be the first one's "cpu". */
  // conformance: W-03
  @Test
  void concatenates_profiles_isFalseSinceDictionariesMerge() throws Exception {
    byte[] both =
        HexFormat.of()
            .parseHex(
                "0a08120612040a02080112072a002a036370750a08120612040a02080112082a002a0468656170");

    ExportProfilesServiceRequest merged = ExportProfilesServiceRequest.parseFrom(both);

    assertThat(merged.getDictionary().getStringTableList()).containsExactly("", "cpu", "", "heap");
    assertThat(Signal.PROFILES.concatenates()).isFalse();
  }

  // conformance: R-08
  @Test
  void attribute_indexIntoTheStringTable_isAbsent() throws Exception {
    byte[] request =
        ExportProfilesServiceRequest.newBuilder()
            .addResourceProfiles(
                ResourceProfiles.newBuilder()
                    .setResource(
                        Resource.newBuilder()
                            .addAttributes(
                                KeyValue.newBuilder()
                                    .setKeyStrindex(1)
                                    .setValue(AnyValue.newBuilder().setStringValue("x")))
                            .addAttributes(
                                KeyValue.newBuilder()
                                    .setKey("team")
                                    .setValue(AnyValue.newBuilder().setStringValueStrindex(1)))))
            .setDictionary(dictionary("service.name"))
            .build()
            .toByteArray();

    scanner.scan(Signal.PROFILES, Slice.of(request));

    assertThat(scanner.attribute(0, "service.name")).isNull();
    assertThat(scanner.attribute(0, "team")).isNull();
  }

  @Test
  void split_profilesTooLarge_isNotCut() {
    Slice request =
        Slice.of(
            ExportProfilesServiceRequest.newBuilder()
                .addResourceProfiles(resource("a", 20))
                .build()
                .toByteArray());

    assertThatThrownBy(() -> RequestSplitter.split(Signal.PROFILES, request, 50))
        .isInstanceOf(PayloadTooLargeException.class)
        .hasMessage(
            "profiles request of "
                + request.length()
                + " bytes (expected at most 50: it cannot be cut)");
  }

  /** What is inside a profile is another version's business, as long as it is protobuf. */
  @Test
  void scan_profileOfAnotherVersion_isNotInterpreted() throws Exception {
    for (String profile : List.of("0a02c328", "0801", "9a0603010203")) {
      scanner.scan(Signal.PROFILES, inProfile(profile));

      assertThat(scanner.items()).isEqualTo(1);
    }
  }

  @Test
  void scan_profileCutOff_isMalformed() {
    assertThatThrownBy(() -> scanner.scan(Signal.PROFILES, inProfile("1207")))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessage(
            "profiles request, byte 6: field 2 of Profile takes 7 bytes (expected at most 0)");
    assertThatThrownBy(() -> scanner.scan(Signal.PROFILES, Slice.of(new byte[] {0x12, 1, 0x0a})))
        .isInstanceOf(MalformedRequestException.class)
        .hasMessage("profiles request, byte 3: length is cut off");
  }

  private static Slice inProfile(String hex) {
    ByteString profile = ByteString.copyFrom(HexFormat.of().parseHex(hex));
    return Slice.of(
        Requests.record(1, Requests.record(2, Requests.record(2, profile))).toByteArray());
  }

  private static ProfilesDictionary dictionary(String text) {
    return ProfilesDictionary.newBuilder().addStringTable("").addStringTable(text).build();
  }

  private static ResourceProfiles resource(String service, int profiles) {
    ScopeProfiles.Builder scope = ScopeProfiles.newBuilder();
    for (int i = 0; i < profiles; i++) {
      scope.addProfiles(Profile.newBuilder().setTimeUnixNano(i));
    }
    return ResourceProfiles.newBuilder()
        .setResource(
            Resource.newBuilder()
                .addAttributes(
                    KeyValue.newBuilder()
                        .setKey("service.name")
                        .setValue(AnyValue.newBuilder().setStringValue(service))))
        .addScopeProfiles(scope)
        .build();
  }
}
