/** The exporters stage. */
@NullMarked
package io.spillway.exporters;

import org.jspecify.annotations.NullMarked;
