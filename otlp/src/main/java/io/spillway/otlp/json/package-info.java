/** OTLP/JSON to protobuf bytes (OTLP §JSON Protobuf Encoding). */
@NullMarked
package io.spillway.otlp.json;

import org.jspecify.annotations.NullMarked;
