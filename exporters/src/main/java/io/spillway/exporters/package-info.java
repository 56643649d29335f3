/**
 * Sends requests to sinks: OTLP/gRPC, OTLP/HTTP, files and the log.
 *
 * <p>{@link io.spillway.exporters.ExporterConfig#readAll} reads and checks the configuration;
 * {@link io.spillway.exporters.Exporters} makes exporters from it. Both belong to the thread that
 * starts or reloads the relay; the exporters are safe on any thread.
 *
 * <p>One call of {@code export} is one attempt, and its outcome is a type:
 *
 * <ul>
 *   <li>nothing could be asked, because the sink was not reached (DNS, CONNECT, TLS) or may not be
 *       (POLICY): {@code SinkDown};
 *   <li>the sink was reached but its answer is missing (RESET, TIMEOUT): {@code Retry} without a
 *       hint. The sink may have taken the request;
 *   <li>an answer: what OTLP says of it, except that nothing but a judgement of the request itself
 *       ({@code BadData}, {@code TooLarge}) lets data go. An expired key, a wrong path and a
 *       failing sink are {@code SinkDown}.
 * </ul>
 *
 * <p>Network exporters complete outcomes on an I/O thread: what depends on them must not block
 * there. Header values never appear in messages, logs or {@code toString}.
 */
@NullMarked
package io.spillway.exporters;

import org.jspecify.annotations.NullMarked;
