package io.spillway.buffer;

/**
 * A run of a lane's items.
 *
 * @param from number of the first
 * @param to number after the last
 */
public record Span(long from, long to) {

  boolean holds(long fromItem, long toItem) {
    return from <= fromItem && toItem <= to && fromItem < toItem;
  }

  /** Items of it that lie between two numbers. */
  long itemsWithin(long fromItem, long toItem) {
    return Math.max(0, Math.min(to, toItem) - Math.max(from, fromItem));
  }
}
