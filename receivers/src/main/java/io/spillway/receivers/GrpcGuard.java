package io.spillway.receivers;

import io.spillway.config.Section;

/** What a gRPC connection must pass, and how long it is kept. */
record GrpcGuard(ListenerConfig listener, Keepalive keepalive) {
  static final GrpcGuard DEFAULT = new GrpcGuard(ListenerConfig.DEFAULT, Keepalive.DEFAULT);

  static GrpcGuard read(Section protocol) {
    return new GrpcGuard(ListenerConfig.read(protocol), Keepalive.read(protocol));
  }
}
