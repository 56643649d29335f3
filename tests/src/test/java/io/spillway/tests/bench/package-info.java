/**
 * Measures the whole program from outside, as processes. Run by hand; nothing is asserted about
 * speed.
 */
@NullMarked
package io.spillway.tests.bench;

import org.jspecify.annotations.NullMarked;
