package io.spillway.relay;

import io.spillway.config.Configuration;
import io.spillway.config.Problems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reloads the configuration on request or when a file changed, on one thread of its own. A
 * configuration with problems changes nothing: they are logged, and the relay runs on with the last
 * good one.
 */
final class Reloader implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Reloader.class);
  private static final long LOOK_SECONDS = 2;

  private final ConfigOptions options;
  private final Relay relay;
  private final BlockingQueue<String> requests = new LinkedBlockingQueue<>(1);
  private final Thread thread = Thread.ofPlatform().daemon().name("reload").unstarted(this::run);
  private List<String> seen;

  Reloader(ConfigOptions options, Relay relay) {
    this.options = options;
    this.relay = relay;
    this.seen = fingerprint();
  }

  void start() {
    thread.start();
  }

  /** Asks for a reload; several requests before it begins are one. Safe on any thread. */
  void request(String why) {
    boolean first = requests.offer(why);
    if (!first) {
      log.debug("reload: {} joins the one that waits", why);
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void run() {
    try {
      while (true) {
        String why = requests.poll(LOOK_SECONDS, TimeUnit.SECONDS);
        List<String> now = fingerprint();
        if (why != null || !now.equals(seen)) {
          seen = now;
          reload(why == null ? "a changed file" : why);
        }
      }
    } catch (InterruptedException e) {
      log.debug("reload: stopped");
    }
  }

  private void reload(String why) {
    try {
      Configuration configuration = options.load();
      RelayConfig config = RelayConfig.read(configuration);
      List<Problems.Problem> problems = new ArrayList<>(configuration.problems().all());
      if (problems.isEmpty()) {
        problems.addAll(relay.reload(config));
      } else {
        relay.refused(config);
      }
      config.warnings().forEach(warning -> log.warn("reload: {}", warning));
      if (problems.isEmpty()) {
        log.info("reload: done, because of {}", why);
      } else {
        problems.forEach(problem -> log.error("reload: {}", problem));
        log.error(
            "reload: asked for by {}; the configuration has {} problems. Nothing was changed.",
            why,
            problems.size());
      }
    } catch (RuntimeException e) {
      log.error("reload: failed. The relay runs on with the last good configuration.", e);
    }
  }

  private List<String> fingerprint() {
    return options.files().stream().map(Reloader::fingerprint).toList();
  }

  private static String fingerprint(Path file) {
    @Nullable String mark;
    try {
      mark = Files.getLastModifiedTime(file) + " " + Files.size(file) + " " + file.toRealPath();
    } catch (IOException e) {
      mark = "unreadable";
    }
    return mark;
  }
}
