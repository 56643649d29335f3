package io.spillway.relay;

/** The version of this program. */
final class ProgramVersion {
  private ProgramVersion() {}

  /** As the jar's manifest has it. */
  static String text() {
    String version = ProgramVersion.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
