/**
 * The egress policy: which destinations may be dialled. Default deny; checked when the
 * configuration is read, before a name is resolved, and for every address about to be dialled.
 */
@NullMarked
package io.spillway.routing.policy;

import org.jspecify.annotations.NullMarked;
