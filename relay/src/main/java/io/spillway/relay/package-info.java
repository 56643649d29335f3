/**
 * The process: command line, wiring by constructor, reload and stop.
 *
 * <p>The only place that knows every stage. {@link io.spillway.relay.Relay} owns what it makes and
 * closes it in the reverse order.
 */
@NullMarked
package io.spillway.relay;

import org.jspecify.annotations.NullMarked;
