package io.spillway.tests.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * A network of its own, with its own mounts, on this machine. Needs root.
 *
 * <p>It lives as long as a process that waits for the end of this JVM's pipe to it, so it is gone
 * with the test, however that ends. The test opens sockets in it from one thread that has entered
 * it; sockets belong to the network where they were opened and may be used from everywhere.
 */
public final class NetNamespace implements AutoCloseable {
  private static final int O_RDONLY = 0;

  /** {@code linux/sched.h} */
  private static final int CLONE_NEWNET = 0x40000000;

  private final Process holder;
  private final ExecutorService entered =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("netns").factory());
  private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();

  /** Makes a network that has nothing but a loopback interface. */
  public NetNamespace() {
    try {
      holder = new ProcessBuilder("unshare", "--net", "--mount", "cat").start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Awaitility.await("a namespace; this needs root")
        .failFast(() -> !holder.isAlive())
        .until(() -> !namespace(holder.pid()).equals(namespace(ProcessHandle.current().pid())));
    inside(this::enter);
    run("ip", "link", "set", "lo", "up");
  }

  private static String namespace(long pid) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc", Long.toString(pid), "ns", "net")).toString();
  }

  @SuppressWarnings("restricted") // calling libc is what this is for
  private Object enter() throws Exception {
    Linker linker = Linker.nativeLinker();
    MethodHandle open =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("open"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    MethodHandle setns =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("setns"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      int fd =
          (int) open.invokeExact(arena.allocateFrom("/proc/" + holder.pid() + "/ns/net"), O_RDONLY);
      int result = (int) setns.invokeExact(fd, CLONE_NEWNET);
      assertThat(result).as("setns").isZero();
      return result;
    } catch (Exception | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** What a command line starts with so that it runs in here. */
  public List<String> launcher() {
    return List.of("nsenter", "--target", Long.toString(holder.pid()), "--net", "--mount", "--");
  }

  /** Runs a command in here that must succeed. Returns what it printed. */
  public String run(String... command) {
    List<String> whole = new ArrayList<>(launcher());
    whole.addAll(List.of(command));
    try {
      Process process = new ProcessBuilder(whole).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as("%s: %s", List.of(command), output).isZero();
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** The id of a process in here, which names the network to {@code ip link}. */
  String pid() {
    return Long.toString(holder.pid());
  }

  /** Passes on what connects to a port in here, at any address, to a server out there. */
  public Door doorOut(int port, InetSocketAddress server) {
    ServerSocket listener = inside(() -> new ServerSocket(port, 128));
    return own(new Door(listener, () -> new Socket(server.getAddress(), server.getPort())));
  }

  /** Passes on what connects to an address out there to the same address in here. */
  public Door doorIn(InetSocketAddress address) {
    try {
      ServerSocket listener = new ServerSocket(address.getPort(), 128, address.getAddress());
      return own(
          new Door(
              listener, () -> inside(() -> new Socket(address.getAddress(), address.getPort()))));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Door own(Door door) {
    open.add(door);
    return door;
  }

  private <T> T inside(Callable<T> action) {
    try {
      return entered.submit(action).get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    open.forEach(NetNamespace::close);
    entered.shutdownNow();
    holder.destroyForcibly();
    holder.onExit().orTimeout(10, TimeUnit.SECONDS).join();
  }

  private static void close(AutoCloseable door) {
    try {
      door.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** A listener in one network whose connections go on in another. */
  public static final class Door implements AutoCloseable {
    private final ServerSocket listener;
    private final Callable<Socket> beyond;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

    private Door(ServerSocket listener, Callable<Socket> beyond) {
      this.listener = listener;
      this.beyond = beyond;
      Thread.ofVirtual().start(this::accept);
    }

    /** Ends the connections that are open now. */
    public void drop() {
      sockets.forEach(Door::closeQuietly);
    }

    private void accept() {
      while (!listener.isClosed()) {
        try {
          Socket near = listener.accept();
          sockets.add(near);
          Thread.ofVirtual().start(() -> connect(near));
        } catch (IOException e) {
          // Closed: the loop's condition tells.
        }
      }
    }

    private void connect(Socket near) {
      try {
        Socket far = beyond.call();
        sockets.add(far);
        Thread.ofVirtual().start(() -> pump(near, far));
        pump(far, near);
      } catch (Exception e) {
        closeQuietly(near);
      } finally {
        sockets.remove(near);
      }
    }

    private void pump(Socket from, Socket to) {
      Pump.run(from, to, passed -> {});
      sockets.remove(from);
    }

    @Override
    public void close() {
      closeQuietly(listener);
      drop();
    }

    private static void closeQuietly(AutoCloseable closeable) {
      try {
        closeable.close();
      } catch (Exception e) {
        // A test has nobody to tell.
      }
    }
  }
}
