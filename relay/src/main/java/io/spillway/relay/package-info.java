/** The relay stage. */
@NullMarked
package io.spillway.relay;

import org.jspecify.annotations.NullMarked;
