/**
 * The promises of Spillway, tested on the whole program: its process, its sockets, its files. The
 * tag {@code long} marks what takes minutes or root, {@code containers} what needs a Docker engine.
 */
@NullMarked
package io.spillway.tests;

import org.jspecify.annotations.NullMarked;
