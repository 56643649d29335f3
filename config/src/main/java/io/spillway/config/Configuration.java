package io.spillway.config;

/** A configuration that was read, merged and had its variables put in. */
public final class Configuration {

  private Configuration() {}

  public Section root() {
    throw new UnsupportedOperationException();
  }

  public Problems problems() {
    throw new UnsupportedOperationException();
  }

  /**
   * Reports every key that no component asked for. Call it after all components have read their
   * sections.
   */
  public void reportUnknownKeys() {
    throw new UnsupportedOperationException();
  }
}
