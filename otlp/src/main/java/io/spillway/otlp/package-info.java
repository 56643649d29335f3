/**
 * The words every stage shares: signals, codecs and byte ranges.
 *
 * <p>Nothing here knows a library or a component. Everything is immutable and safe on any thread.
 */
@NullMarked
package io.spillway.otlp;

import org.jspecify.annotations.NullMarked;
