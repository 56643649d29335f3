package io.spillway.tests.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the system says of a process and its descendants.
 *
 * @param cpuTicks user and system time, in hundredths of a second
 * @param diskBytes that they caused to be written, as far as the kernel says so
 */
public record Usage(long cpuTicks, long diskBytes) {
  /** Of the clock that processor time is counted by. */
  public static final double TICKS_PER_SECOND = 100;

  /** Up to now. */
  public static Usage of(Process process) throws IOException {
    long ticks = 0;
    long disk = 0;
    for (ProcessHandle member : members(process)) {
      String stat = Files.readString(Path.of("/proc", Long.toString(member.pid()), "stat"));
      // The name, in parentheses, may hold spaces. proc(5): utime is field 14, stime 15.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      ticks += Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
      disk += value(member, "io", "write_bytes:");
    }
    return new Usage(ticks, disk);
  }

  /** A line of {@code /proc/PID/status} that counts KiB, summed up, in MiB. */
  public static double memoryMib(Process process, String key) throws IOException {
    long kib = 0;
    for (ProcessHandle member : members(process)) {
      kib += value(member, "status", key);
    }
    return kib / 1024.0;
  }

  /** Of both. */
  public Usage plus(Usage other) {
    return new Usage(cpuTicks + other.cpuTicks, diskBytes + other.diskBytes);
  }

  /** Processor time in between. */
  public double cpuSecondsSince(Usage before) {
    return (cpuTicks - before.cpuTicks) / TICKS_PER_SECOND;
  }

  private static List<ProcessHandle> members(Process process) {
    return Stream.concat(Stream.of(process.toHandle()), process.descendants()).toList();
  }

  private static long value(ProcessHandle process, String file, String key) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), file))) {
      if (line.startsWith(key)) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("/proc/" + process.pid() + "/" + file + " has no " + key);
  }
}
