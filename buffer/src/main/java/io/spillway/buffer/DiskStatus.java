package io.spillway.buffer;

/**
 * The disk below all lanes, in bytes.
 *
 * @param free what this process may still write; -1 if the file system does not say
 * @param reserved reserved by all lanes together
 * @param max {@code max_bytes}
 * @param minFree {@code min_free}
 */
public record DiskStatus(long free, long reserved, long max, long minFree) {}
