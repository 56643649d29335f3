package io.spillway.receivers;

import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;

/**
 * What the head of a request says about its body and the connection.
 *
 * @param keepAlive whether the connection outlives the request
 * @param contentLength 0 if there is no body; -1 if only its end tells
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

  /**
   * Of a request on a stream (RFC 9113 §8.1): its end is that of the body, whatever the head says.
   *
   * @param ended whether the stream ended with the head
   * @throws NumberFormatException if the length it gives is none
   */
  static HttpFraming ofStream(HttpRequest head, boolean ended) {
    return new HttpFraming(
        head.protocolVersion(),
        true,
        ended ? 0 : HttpUtil.getContentLength(head, -1L),
        !ended && HttpUtil.is100ContinueExpected(head));
  }
}
