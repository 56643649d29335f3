package io.spillway.tests.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owns the relays, sinks and files of a test, or of a class if its field is static. Whatever
 * happens, they are gone afterwards; if the test failed, its files stay and the end of the relay's
 * log is printed.
 */
public final class Lab
    implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

  private static final Logger LOG = LoggerFactory.getLogger(Lab.class);
  private static final Path ROOT = Path.of("target", "lab").toAbsolutePath();
  private static final int LOG_TAIL_CHARS = 6_000;

  static {
    // A busy machine is no failure; whoever waits here has nothing better to do.
    Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
  }

  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final List<RelayProcess> relays = new ArrayList<>();
  private @Nullable Path directory;
  private boolean ofClass;
  private boolean failed;

  /** A relay that is ready, with its files in the folder of this test. */
  public RelayProcess relay(String yaml) {
    return prepare(yaml, directory(), false, List.of()).start();
  }

  /** A relay that is process 1 of its own PID namespace each time it is started. */
  public RelayProcess relayInPidNamespace(String yaml) {
    return prepare(yaml, directory(), true, List.of()).start();
  }

  /** A relay of another user; needs root. The folder of this test must be readable for it. */
  public RelayProcess relayOfUser(int uid, String yaml) {
    return prepare(yaml, directory(), false, Program.asUser(uid)).start();
  }

  /**
   * A relay that is started by a command.
   *
   * @param launcher what its command line begins with
   */
  public RelayProcess relayBehind(List<String> launcher, String yaml) {
    return prepare(yaml, directory(), false, launcher).start();
  }

  public CapturingSink sink(CapturingSink.Protocol protocol, CapturingSink.Keep keep) {
    return own(new CapturingSink(protocol, keep));
  }

  /** A sink that keeps the numbers of items. */
  public CapturingSink sink(CapturingSink.Protocol protocol) {
    return sink(protocol, CapturingSink.Keep.ITEM_IDS);
  }

  /** Closes something when the test ends, before what was opened earlier. */
  public synchronized <T extends AutoCloseable> T own(T closeable) {
    open.push(closeable);
    return closeable;
  }

  /** The folder of this test. */
  public synchronized Path directory() {
    Path known = directory;
    if (known == null) {
      throw new IllegalStateException("no test runs");
    }
    return known;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    ofClass = true;
    begin(context);
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    if (!ofClass) {
      begin(context);
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    synchronized (this) {
      failed |= context.getExecutionException().isPresent();
    }
    if (!ofClass) {
      end();
    }
  }

  @Override
  public void afterAll(ExtensionContext context) {
    end();
  }

  private synchronized RelayProcess prepare(
      String yaml, Path folder, boolean ownPidNamespace, List<String> launcher) {
    RelayProcess relay = new RelayProcess(folder, yaml, ownPidNamespace, launcher);
    relays.add(relay);
    return own(relay);
  }

  private synchronized void begin(ExtensionContext context) {
    try {
      Files.createDirectories(ROOT);
      directory =
          Files.createTempDirectory(ROOT, context.getRequiredTestClass().getSimpleName() + "-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private synchronized void end() {
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (Exception e) {
        LOG.warn("closing after a test", e);
      }
    }
    Path folder = directory();
    if (failed) {
      relays.forEach(relay -> LOG.error("failed; relay in {}:\n{}", folder, tail(relay)));
    } else {
      delete(folder);
    }
  }

  private static String tail(RelayProcess relay) {
    String log = relay.fullLog();
    return log.substring(Math.max(0, log.length() - LOG_TAIL_CHARS));
  }

  private static void delete(Path folder) {
    try {
      Folders.delete(folder);
    } catch (IOException e) {
      LOG.warn("cannot delete {}", folder, e);
    }
  }
}
