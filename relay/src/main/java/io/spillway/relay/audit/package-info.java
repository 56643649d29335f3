/**
 * The audit of the egress policy: a file that says in JSON lines which destinations were denied,
 * and which were dialled for the first time. Deciding never waits for it.
 */
@NullMarked
package io.spillway.relay.audit;

import org.jspecify.annotations.NullMarked;
