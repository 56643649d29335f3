/**
 * The demo: real SDK traffic through an outage of two sinks, counted at both ends. Not used by a
 * running relay.
 */
@NullMarked
package io.spillway.relay.demo;

import org.jspecify.annotations.NullMarked;
