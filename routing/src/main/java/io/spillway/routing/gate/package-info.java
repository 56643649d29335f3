/**
 * The gate: takes requests from receivers, finds the routes of each resource, samples, and appends
 * to lanes. Called on the receivers' threads; answers on the lanes' or on the caller's.
 *
 * <p>An accepted request is stored whole in every lane its resources belong to, apart from spans
 * that were sampled out and counted. An unavailable one may be stored in part: the sender sends it
 * again, so some of it may arrive twice, and none is lost.
 */
@NullMarked
package io.spillway.routing.gate;

import org.jspecify.annotations.NullMarked;
