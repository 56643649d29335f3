/** The routing stage. */
@NullMarked
package io.spillway.routing;

import org.jspecify.annotations.NullMarked;
