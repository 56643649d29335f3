package io.spillway.tests.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;

/**
 * An ext4 in a file, which can be made to fail and be mounted again. Needs root. One test thread.
 *
 * <p>The failing is done by the ioctl {@code EXT4_IOC_SHUTDOWN} of {@code fs/ext4/ext4.h}, made for
 * such tests: afterwards every write and every force fails with EIO, as on a dead disk.
 */
public final class LoopDisk implements AutoCloseable {

  private static final int O_RDONLY = 0;

  /** {@code _IOR('X', 125, __u32)} */
  private static final long EXT4_IOC_SHUTDOWN = 0x8004587dL;

  private static final Duration RELEASED_WITHIN = Duration.ofSeconds(30);

  private final Path image;
  private final Path mount;
  private final List<String> options;
  private boolean mounted;

  /** How a file system dies. */
  public enum Death {
    /** After everything in the page cache was written: no data is lost. */
    FLUSHED(0),
    /** As by a power cut: what was not forced is gone, data and journal. */
    POWER_CUT(2);

    private final int flag;

    Death(int flag) {
      this.flag = flag;
    }
  }

  private LoopDisk(Path image, Path mount, List<String> options) {
    this.image = image;
    this.mount = mount;
    this.options = options;
  }

  /**
   * Makes a file system and mounts it.
   *
   * @param directory where its image and its mount point go
   * @param size as {@code truncate} takes it
   * @param options of the mount
   */
  public static LoopDisk create(Path directory, String size, String... options) throws IOException {
    Path image = directory.resolve("disk.img");
    run("truncate", "-s", size, image.toString());
    run("mkfs.ext4", "-q", "-m", "0", image.toString());
    LoopDisk disk =
        new LoopDisk(image, Files.createDirectory(directory.resolve("disk")), List.of(options));
    disk.mount();
    return disk;
  }

  public Path path() {
    return mount;
  }

  public void mount() {
    List<String> all = new ArrayList<>(List.of("loop"));
    all.addAll(options);
    run("mount", "-o", String.join(",", all), image.toString(), mount.toString());
    mounted = true;
  }

  /** Unmounts as soon as no process has a file open there. */
  public void unmount() {
    Awaitility.await("nothing open on " + mount)
        .atMost(RELEASED_WITHIN)
        .pollInterval(Duration.ofMillis(100))
        .until(() -> new Command("umount", mount.toString()).succeeds());
    mounted = false;
  }

  /** Takes the mount away from the tree at once, whatever is open there. */
  public void unmountLazily() {
    run("umount", "--lazy", mount.toString());
    mounted = false;
  }

  /** Waits until no loop device holds the image, so that a new mount is a new file system. */
  public void awaitReleased() {
    Awaitility.await("no loop device on " + image)
        .atMost(RELEASED_WITHIN)
        .pollInterval(Duration.ofMillis(100))
        .until(() -> new Command("losetup", "-j", image.toString()).output().isBlank());
  }

  /** Repairs what a forced error left marked; only while it is not mounted. */
  public void check() {
    Command fsck = new Command("e2fsck", "-f", "-p", image.toString());
    assertThat(fsck.exitCode()).as(fsck.output()).isLessThanOrEqualTo(1);
  }

  /** From now on every write fails with EIO. */
  public void die(Death death) {
    MethodHandle open = function("open", ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
    MethodHandle ioctl =
        function("ioctl", ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS);
    MethodHandle close = function("close", ValueLayout.JAVA_INT);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment flag = arena.allocateFrom(ValueLayout.JAVA_INT, death.flag);
      int fd = (int) open.invokeExact(arena.allocateFrom(mount.toString()), O_RDONLY);
      assertThat(fd).as("open %s", mount).isNotNegative();
      int result = (int) ioctl.invokeExact(fd, EXT4_IOC_SHUTDOWN, flag);
      int closed = (int) close.invokeExact(fd);
      assertThat(List.of(result, closed)).as("EXT4_IOC_SHUTDOWN").containsOnly(0);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** As after an error in its own structures: with {@code errors=remount-ro} it takes no writes. */
  public void reportError() throws IOException {
    String device = new Command("losetup", "-n", "-O", "NAME", "-j", image.toString()).output();
    Path trigger =
        Path.of("/sys/fs/ext4", Path.of(device.trim()).getFileName().toString())
            .resolve("trigger_fs_error");
    Files.writeString(trigger, "1\n");
  }

  @Override
  public void close() {
    if (mounted) {
      unmount();
    }
  }

  /** A function of libc, variadic after two arguments as {@code open} and {@code ioctl} are. */
  @SuppressWarnings("restricted") // calling libc is what this is for
  private static MethodHandle function(String name, ValueLayout... arguments) {
    Linker linker = Linker.nativeLinker();
    MemorySegment address = linker.defaultLookup().findOrThrow(name);
    FunctionDescriptor type = FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments);
    return arguments.length > 1
        ? linker.downcallHandle(address, type, Linker.Option.firstVariadicArg(2))
        : linker.downcallHandle(address, type);
  }

  /** Runs a command that must succeed. */
  public static void run(String... command) {
    Command done = new Command(command);
    assertThat(done.exitCode()).as("%s: %s", List.of(command), done.output()).isZero();
  }

  /** A command that was run to its end. */
  private static final class Command {
    private final int exitCode;
    private final String output;

    Command(String... command) {
      try {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        exitCode = process.waitFor();
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }

    int exitCode() {
      return exitCode;
    }

    boolean succeeds() {
      return exitCode == 0;
    }

    String output() {
      return output;
    }
  }
}
