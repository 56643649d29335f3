package io.spillway.exporters;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpStatusClass;
import io.spillway.otlp.Slice;

/**
 * A whole HTTP answer.
 *
 * @param body as it came, without its transfer encoding but with its content encoding; cut where it
 *     exceeds the limit
 * @param truncated whether the body was cut
 */
record HttpAnswer(HttpResponseStatus status, HttpHeaders headers, Slice body, boolean truncated) {

  boolean isRedirect() {
    return status.codeClass() == HttpStatusClass.REDIRECTION;
  }
}
