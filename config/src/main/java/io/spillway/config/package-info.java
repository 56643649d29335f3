/**
 * Reads configuration: YAML files, {@code ${env:X}}, overrides; reports all problems at once. Knows
 * no component: each component reads its own {@link io.spillway.config.Section}.
 *
 * <p>Used by one thread while the relay starts or reloads.
 */
@NullMarked
package io.spillway.config;

import org.jspecify.annotations.NullMarked;
