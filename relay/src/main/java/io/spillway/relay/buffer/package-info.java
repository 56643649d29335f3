/**
 * The {@code buffer} commands: a look into lanes, copies of what is in them, and copies sent once
 * more.
 *
 * <p>All of them read a buffer directory from outside, beside a running relay or without one, and
 * change nothing in it.
 */
@NullMarked
package io.spillway.relay.buffer;

import org.jspecify.annotations.NullMarked;
