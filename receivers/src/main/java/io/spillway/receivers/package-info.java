/**
 * Takes OTLP from applications over gRPC and HTTP/1.1 and hands it, decompressed and as protobuf,
 * to the {@link io.spillway.otlp.stage.Gate}.
 *
 * <p>Requests are read, decompressed and submitted on Netty's threads. The sender is answered when
 * the gate answers, from whatever thread that is; success is never said before that. gRPC and Netty
 * stay in here.
 */
@NullMarked
package io.spillway.receivers;

import org.jspecify.annotations.NullMarked;
