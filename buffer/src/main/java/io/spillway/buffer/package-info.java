/** The buffer stage. */
@NullMarked
package io.spillway.buffer;

import org.jspecify.annotations.NullMarked;
