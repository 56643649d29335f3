import com.google.googlejavaformat.java.Formatter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks ({@code --check}) or applies ({@code --apply}) the formatter on every Java file below the
 * given folder.
 */
class Format {
  public static void main(String[] args) throws Exception {
    boolean apply = args[0].equals("--apply");
    Path root = Path.of(args[1]);
    Formatter formatter = new Formatter();
    List<Path> off = new ArrayList<>();
    try (var files = Files.walk(root)) {
      for (Path file :
          files
              .filter(f -> f.toString().endsWith(".java") && !f.toString().contains("/target/"))
              .toList()) {
        String before = Files.readString(file);
        String after = formatter.formatSourceAndFixImports(before);
        if (!before.equals(after)) {
          off.add(file);
          if (apply) {
            Files.writeString(file, after);
          }
        }
      }
    }
    off.forEach(file -> System.out.println((apply ? "formatted " : "not formatted: ") + file));
    if (!apply && !off.isEmpty()) {
      System.out.println("Run: mvn process-sources -Dformat");
      System.exit(1);
    }
  }
}
