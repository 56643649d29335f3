package io.spillway.relay.demo;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Shows how the demo goes: a picture that is drawn over itself on a terminal, plain lines
 * elsewhere. Used by one thread.
 */
final class DemoScreen {

  private static final int PLAIN_EVERY = 4;
  private static final String BOLD = "\u001b[1m";
  private static final String GREEN = "\u001b[32m";
  private static final String RED = "\u001b[31m";
  private static final String YELLOW = "\u001b[33m";
  private static final String OFF = "\u001b[0m";
  private static final String CLEAR_LINE = "\u001b[K";

  private final PrintWriter out;
  private final boolean terminal;
  private int drawnLines;
  private int frames;

  DemoScreen(PrintWriter out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** A line that stays. */
  void say(int second, String text) {
    erase();
    out.printf(Locale.ROOT, "%s%3d s  %s%s%n", on(BOLD), second, text, on(OFF));
    out.flush();
  }

  /** A line that stays, without the time. */
  void print(String text) {
    erase();
    out.println(text);
    out.flush();
  }

  /** The verdict. */
  void verdict(boolean good, String text) {
    erase();
    out.println(on(BOLD) + on(good ? GREEN : RED) + text + on(OFF));
    out.flush();
  }

  /**
   * The present state; on a terminal it replaces the last one, elsewhere every fourth is a line.
   */
  void show(Frame frame) {
    if (terminal) {
      erase();
      List<String> lines = picture(frame);
      lines.forEach(line -> out.println(line + CLEAR_LINE));
      drawnLines = lines.size();
      out.flush();
    } else if (frames++ % PLAIN_EVERY == 0) {
      print(line(frame));
    }
  }

  private List<String> picture(Frame frame) {
    List<String> lines = new ArrayList<>();
    lines.add("");
    lines.add("  application ──▶ Spillway ──▶ primary    (OTLP/gRPC)  " + sink(frame.primary()));
    lines.add(
        String.format(
            Locale.ROOT,
            "  %,9d OK    on disk  └──▶ secondary  (OTLP/HTTP)  %s",
            frame.acknowledged(),
            sink(frame.secondary())));
    lines.add("");
    lines.add(
        String.format(
            "  %-18s %10s %10s %10s   %s", "lane", "waiting", "bytes", "oldest", "delivers to"));
    for (Lane lane : frame.lanes()) {
      String row =
          String.format(
              Locale.ROOT,
              "  %-18s %,10d %,10d %8.1f s   %s",
              lane.name(),
              lane.items(),
              lane.bytes(),
              lane.oldestSeconds(),
              lane.active());
      lines.add(lane.items() > 2000 ? YELLOW + row + OFF : row);
    }
    lines.add("");
    return lines;
  }

  private String sink(boolean up) {
    return up ? on(GREEN) + "● up" + on(OFF) : on(RED) + "✗ stopped" + on(OFF);
  }

  private static String line(Frame frame) {
    StringBuilder text =
        new StringBuilder(
            String.format(
                Locale.ROOT, "%3d s  acknowledged %,d", frame.second(), frame.acknowledged()));
    frame
        .lanes()
        .forEach(
            lane ->
                text.append(
                    String.format(
                        Locale.ROOT,
                        " | %s waiting %,d -> %s",
                        lane.name(),
                        lane.items(),
                        lane.active())));
    return text.toString();
  }

  private void erase() {
    if (terminal && drawnLines > 0) {
      out.print("\u001b[" + drawnLines + "A\u001b[J");
      drawnLines = 0;
    }
  }

  private String on(String code) {
    return terminal ? code : "";
  }

  /** What is shown. */
  record Frame(
      int second, long acknowledged, boolean primary, boolean secondary, List<Lane> lanes) {}

  /** One lane of the relay. */
  record Lane(String name, long items, long bytes, double oldestSeconds, String active) {}
}
