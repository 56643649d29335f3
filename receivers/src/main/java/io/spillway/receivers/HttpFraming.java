package io.spillway.receivers;

import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;

/**
 * What the head of a request says about the connection.
 *
 * @param contentLength 0 if there is no body; -1 if it is chunked
 * @param expectsContinue the body follows only when we ask for it
 */
record HttpFraming(
    HttpVersion version, boolean keepAlive, long contentLength, boolean expectsContinue) {

  /** Of a head that could not be read. */
  static final HttpFraming UNKNOWN = new HttpFraming(HttpVersion.HTTP_1_1, false, -1, false);

  static HttpFraming of(HttpRequest head) {
    boolean chunked = HttpUtil.isTransferEncodingChunked(head);
    return new HttpFraming(
        head.protocolVersion(),
        HttpUtil.isKeepAlive(head),
        chunked ? -1 : HttpUtil.getContentLength(head, 0L),
        HttpUtil.is100ContinueExpected(head));
  }
}
