package io.spillway.routing.gate;

import io.spillway.otlp.stage.Lane;
import io.spillway.otlp.wire.RequestSplitter.Part;
import java.util.List;

/**
 * What one lane gets of a request.
 *
 * @param parts each at most {@link Lane#maxAppendBytes}; at least one
 * @param sampledOut spans left out of all parts together; counted with the first part
 */
record Delivery(Lane lane, List<Part> parts, int sampledOut) {

  /** Uncompressed bytes of all parts. */
  long bytes() {
    long bytes = 0;
    for (Part part : parts) {
      bytes += part.request().length();
    }
    return bytes;
  }
}
