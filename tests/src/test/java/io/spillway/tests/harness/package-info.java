/**
 * What the end-to-end tests are made of: a sink that captures and misbehaves on demand, the relay
 * as a process, and senders that remember what was acknowledged. It reads and writes OTLP with
 * protobuf-java and shares no code with the program under test.
 */
@NullMarked
package io.spillway.tests.harness;

import org.jspecify.annotations.NullMarked;
