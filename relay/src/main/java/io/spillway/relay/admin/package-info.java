/** The admin HTTP server: health, metrics, status and the ledger, for operators and scripts. */
@NullMarked
package io.spillway.relay.admin;

import org.jspecify.annotations.NullMarked;
