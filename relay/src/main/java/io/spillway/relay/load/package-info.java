/**
 * Two small tools: {@code send} makes OTLP load, {@code capture} is a sink that counts it. Not used
 * by a running relay.
 */
@NullMarked
package io.spillway.relay.load;

import org.jspecify.annotations.NullMarked;
