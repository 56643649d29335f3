/** Compression and decompression with limits. zstd-jni and java.util.zip stay in here. */
@NullMarked
package io.spillway.otlp.codec;

import org.jspecify.annotations.NullMarked;
