/**
 * The small messages that answer an export: google.rpc.Status and Export…ServiceResponse, encoded
 * and parsed by hand.
 */
@NullMarked
package io.spillway.otlp.rpc;

import org.jspecify.annotations.NullMarked;
