package io.spillway.routing.gate;

import org.jspecify.annotations.Nullable;

/**
 * Where what an exporter sends ends up.
 *
 * @param region as the configuration claims; null if it does not
 * @param local whether data stays on this machine, which every region is fine with
 */
public record ExporterPlace(@Nullable String region, boolean local) {}
