/**
 * The meters: what the stages report, as Micrometer instruments and Prometheus text. Micrometer
 * stays in here.
 */
@NullMarked
package io.spillway.relay.telemetry;

import org.jspecify.annotations.NullMarked;
