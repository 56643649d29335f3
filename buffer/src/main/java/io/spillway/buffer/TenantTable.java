package io.spillway.buffer;

import io.spillway.otlp.stage.Block;
import io.spillway.otlp.stage.Sender;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The tenants of the requests in a block: for each request a byte that says which, counted from 1
 * in the order in which they first come, 0 for none; then for each tenant a byte with its length
 * and its ASCII characters. Nothing at all if no request has one.
 *
 * <p>So interleaved tenants share blocks, and each is written once in a block.
 */
final class TenantTable {
  /** Of each request. */
  static final int INDEX_BYTES = 1;

  /** What one byte can tell apart, besides none. */
  static final int MAX_TENANTS = 255;

  static final int MAX_BYTES = MAX_TENANTS * (1 + Sender.MAX_TENANT_LENGTH);

  private static final TenantTable NONE = new TenantTable(Map.of(), List.of());

  /** By tenant, from 1 on. */
  private final Map<String, Integer> places;

  /** Of the requests that were read. */
  private final List<String> tenants;

  private TenantTable(Map<String, Integer> places, List<String> tenants) {
    this.places = places;
    this.tenants = tenants;
  }

  /** Counts the tenants of a block to be; for one thread. */
  static final class Bound {
    private final Map<String, Integer> places = new LinkedHashMap<>();
    private String last = "";

    /** Whether a request of this tenant has a place in the block; if so, it is taken. */
    boolean admits(String tenant) {
      if (tenant.equals(last)) {
        return true;
      }
      if (!tenant.isEmpty() && !places.containsKey(tenant)) {
        if (places.size() == MAX_TENANTS) {
          return false;
        }
        places.put(tenant, places.size() + 1);
      }
      last = tenant;
      return true;
    }
  }

  static TenantTable of(List<Block.Request> requests) {
    Bound bound = new Bound();
    for (Block.Request request : requests) {
      if (!bound.admits(request.tenant())) {
        throw new IllegalArgumentException(
            "block: more tenants than " + MAX_TENANTS + " (expected at most that)");
      }
    }
    return bound.places.isEmpty() ? NONE : new TenantTable(bound.places, List.of());
  }

  /** Bytes of the tenants, without the places of the requests. */
  int bytes() {
    int bytes = 0;
    for (String tenant : places.keySet()) {
      bytes += 1 + tenant.length();
    }
    return bytes;
  }

  void write(List<Block.Request> requests, ByteBuffer to) {
    if (places.isEmpty()) {
      return;
    }
    for (Block.Request request : requests) {
      to.put(places.getOrDefault(request.tenant(), 0).byteValue());
    }
    for (String tenant : places.keySet()) {
      to.put((byte) tenant.length()).put(tenant.getBytes(StandardCharsets.US_ASCII));
    }
  }

  /**
   * Reads what {@link #write} wrote at a position; null if it cannot be that.
   *
   * @param tableBytes of the tenants; 0 if there are none
   */
  static @Nullable TenantTable read(ByteBuffer in, int at, int requests, int tableBytes) {
    if (tableBytes == 0) {
      return NONE;
    }
    List<String> names = new ArrayList<>();
    names.add("");
    int end = at + requests + tableBytes;
    for (int i = at + requests; i < end; ) {
      int length = Byte.toUnsignedInt(in.get(i));
      if (length == 0 || length > end - i - 1) {
        return null;
      }
      byte[] name = new byte[length];
      in.get(i + 1, name);
      names.add(new String(name, StandardCharsets.US_ASCII));
      i += 1 + length;
    }
    List<String> tenants = new ArrayList<>(requests);
    for (int i = 0; i < requests; i++) {
      int place = Byte.toUnsignedInt(in.get(at + i));
      if (place >= names.size()) {
        return null;
      }
      tenants.add(names.get(place));
    }
    return new TenantTable(Map.of(), tenants);
  }

  /** The tenant of a request that was read. */
  String tenant(int request) {
    return tenants.isEmpty() ? "" : tenants.get(request);
  }
}
