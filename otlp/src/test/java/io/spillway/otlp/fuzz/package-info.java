/** What the fuzz targets of all modules share: their shape, and how they are run. */
@NullMarked
package io.spillway.otlp.fuzz;

import org.jspecify.annotations.NullMarked;
