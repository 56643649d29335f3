/** Takes OTLP from applications. */
@NullMarked
package io.spillway.receivers;

import org.jspecify.annotations.NullMarked;
