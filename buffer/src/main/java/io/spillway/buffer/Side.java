package io.spillway.buffer;

/** Where a lane is read. */
enum Side {
  /** Behind everything that was set aside. */
  LIVE,
  /** What was set aside, oldest first. */
  BACKLOG
}
