package io.spillway.tests.bench.micro;

import io.spillway.tests.bench.Machine;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.openjdk.jmh.generators.bytecode.JmhBytecodeGenerator;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs the benchmarks of this package, a minute in all, and prints a Markdown table: time, bytes a
 * second and garbage of an operation. With {@code check}, runs them briefly and fails where an
 * operation allocates more than {@link AllocationBounds} say; times are not looked at then.
 *
 * <p>What JMH generates is compiled here and not by the build, whose warnings are errors; it has to
 * be on the class path, so a second JVM with the options of this one runs it.
 */
public final class MicroBenchmarks {
  private static final int FORKS = 1;
  private static final int WARM_UPS = 2;
  private static final int ITERATIONS = 4;
  private static final TimeValue EACH = TimeValue.milliseconds(500);

  private static final String CHECK = "check";
  private static final String GENERATED = "generated";

  private MicroBenchmarks() {}

  /**
   * @param args {@code check} or nothing; then {@code generated} in the JVM that has what is
   *     generated on its class path
   */
  public static void main(String[] args) throws Exception {
    List<String> words = List.of(args);
    if (!words.contains(GENERATED)) {
      System.exit(generateAndRun(words));
    } else if (words.contains(CHECK)) {
      AllocationBounds.load().check(run(1, 1));
    } else {
      print(run(WARM_UPS, ITERATIONS));
    }
  }

  private static int generateAndRun(List<String> words) throws Exception {
    Path generated = Files.createTempDirectory("spillway-jmh-classes");
    generate(
        Path.of(MicroBenchmarks.class.getProtectionDomain().getCodeSource().getLocation().toURI()),
        generated);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add("-cp");
    command.add(generated + File.pathSeparator + System.getProperty("java.class.path"));
    command.add(MicroBenchmarks.class.getName());
    command.addAll(words);
    command.add(GENERATED);
    return new ProcessBuilder(command).inheritIO().start().waitFor();
  }

  private static Collection<RunResult> run(int warmUps, int iterations) throws RunnerException {
    return new Runner(
            new OptionsBuilder()
                .include(MicroBenchmarks.class.getPackageName() + "\\..*")
                .forks(FORKS)
                .warmupIterations(warmUps)
                .warmupTime(EACH)
                .measurementIterations(iterations)
                .measurementTime(EACH)
                .addProfiler(GCProfiler.class)
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT)
                .build())
        .run();
  }

  private static void print(Collection<RunResult> results) throws IOException {
    System.out.println(Machine.describe());
    System.out.printf(
        "%n| benchmark | operations/s | ± (99.9 %%) | MB/s | B allocated an operation |%n");
    System.out.println("|---|---|---|---|---|");
    results.forEach(MicroBenchmarks::print);
  }

  private static void print(RunResult run) {
    Result<?> primary = run.getPrimaryResult();
    System.out.printf(
        Locale.ROOT,
        "| %s | %,.0f | %,.0f | %,.0f | %,.0f |%n",
        name(run),
        primary.getScore(),
        primary.getScoreError(),
        run.getSecondaryResults().get("bytes").getScore() / 1e6,
        allocated(run));
  }

  /** The benchmark with its parameters. */
  static String name(RunResult run) {
    String name = run.getParams().getBenchmark();
    List<String> words = new ArrayList<>();
    words.add(name.substring(name.lastIndexOf('.') + 1));
    run.getParams().getParamsKeys().forEach(key -> words.add(run.getParams().getParam(key)));
    return String.join(" ", words).toLowerCase(Locale.ROOT);
  }

  /** Bytes that an operation allocates, on all threads. */
  static double allocated(RunResult run) {
    return run.getSecondaryResults().get("gc.alloc.rate.norm").getScore();
  }

  private static void generate(Path compiled, Path generated) throws Exception {
    Path sources = Files.createTempDirectory("spillway-jmh");
    Path own = Files.createDirectories(sources.resolve("own"));
    Path micro = Path.of(MicroBenchmarks.class.getPackageName().replace('.', '/'));
    Path kept = Files.createDirectories(own.resolve(micro));
    try (Stream<Path> classes = Files.list(compiled.resolve(micro))) {
      for (Path file : classes.toList()) {
        Files.copy(file, kept.resolve(file.getFileName()));
      }
    }
    JmhBytecodeGenerator.main(
        new String[] {
          own.toString(), sources.resolve("java").toString(), generated.toString(), "reflection"
        });
    compile(sources.resolve("java"), generated);
  }

  private static void compile(Path sources, Path generated) throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "-nowarn",
                "-proc:none",
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                generated.toString()));
    try (Stream<Path> files = Files.walk(sources)) {
      files
          .filter(file -> file.toString().endsWith(".java"))
          .forEach(file -> arguments.add(file.toString()));
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    if (compiler.run(null, null, null, arguments.toArray(String[]::new)) != 0) {
      throw new IllegalStateException("what JMH generated does not compile");
    }
  }
}
