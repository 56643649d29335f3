/**
 * OTLP on the protobuf wire, without objects: validate, count, slice, split, sample.
 *
 * <p>Scanners and samplers keep state between calls and belong to one thread at a time; they
 * allocate nothing per item.
 */
@NullMarked
package io.spillway.otlp.wire;

import org.jspecify.annotations.NullMarked;
