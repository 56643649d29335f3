package io.spillway.relay.buffer;

import java.util.ArrayList;
import java.util.List;

/** Text in columns: the first one to the left, the others to the right. */
final class Table {
  private static final String GAP = "  ";

  private final List<String[]> rows = new ArrayList<>();

  Table(String... heads) {
    rows.add(heads);
  }

  void add(String... cells) {
    if (cells.length != rows.getFirst().length) {
      throw new IllegalArgumentException(cells.length + " cells");
    }
    rows.add(cells);
  }

  List<String> lines() {
    int[] widths = new int[rows.getFirst().length];
    for (String[] row : rows) {
      for (int i = 0; i < row.length; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    return rows.stream().map(row -> line(row, widths)).toList();
  }

  private static String line(String[] row, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < row.length; i++) {
      String space = " ".repeat(widths[i] - row[i].length());
      line.append(i == 0 ? row[i] + space : GAP + space + row[i]);
    }
    return line.toString().stripTrailing();
  }
}
