/**
 * TLS as both edges have it: what stands in PEM files, contexts that can be renewed, and the look
 * at files that change. Receivers and exporters make contexts of it, each their own way.
 *
 * <p>Nothing in here is called on the way of a request. Reading files blocks.
 */
@NullMarked
package io.spillway.otlp.tls;

import org.jspecify.annotations.NullMarked;
