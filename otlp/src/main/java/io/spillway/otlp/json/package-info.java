/**
 * OTLP/JSON to protobuf bytes and back (OTLP §JSON Protobuf Encoding), both driven by one table of
 * the messages.
 */
@NullMarked
package io.spillway.otlp.json;

import org.jspecify.annotations.NullMarked;
