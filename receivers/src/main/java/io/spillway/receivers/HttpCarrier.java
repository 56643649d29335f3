package io.spillway.receivers;

import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.util.concurrent.EventExecutor;

/**
 * What carries one {@link HttpExchange}: the turn of a request on an HTTP/1.1 connection, or an
 * HTTP/2 stream. Used by its event loop.
 */
interface HttpCarrier {
  EventExecutor executor();

  /** The connection that it is on. */
  SenderConnection connection();

  /** The deadline of whatever the exchange waits for now. */
  Deadline deadline();

  /** Tells the sender that it may send the body. */
  void askForBody();

  /**
   * Sends the answer; called once.
   *
   * @param bodyRead whether nothing of the request is left to be read
   * @param done to be run once the answer was sent or cannot be
   */
  void answer(FullHttpResponse response, boolean bodyRead, Runnable done);
}
