/**
 * The table of conformance: what the sources of OTLP say ({@code conformance.tsv}), the tests that
 * say which statement they show ({@code // conformance: ID}), and what became of those tests in
 * this build (the reports of Surefire and Failsafe). Nothing here is a test of the product.
 */
@NullMarked
package io.spillway.tests.conformance;

import org.jspecify.annotations.NullMarked;
