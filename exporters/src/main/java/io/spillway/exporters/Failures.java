package io.spillway.exporters;

import io.spillway.otlp.stage.ErrorClass;
import io.spillway.otlp.stage.Outcome;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertificateException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Tells by its type what went wrong on the way to a sink. Messages are for people only. */
final class Failures {
  /** Chains of causes are short; this bounds a circular one. */
  private static final int MAX_CAUSES = 16;

  private Failures() {}

  /** The outcome of an attempt that ended in this exception rather than in an answer. */
  static Outcome outcome(Throwable failure) {
    Throwable cause = telling(failure);
    if (cause == null) {
      return new Outcome.SinkDown(ErrorClass.LOCAL, describe(failure));
    }
    return outcome(classOf(cause), describe(cause));
  }

  /** Never reached, so certainly not taken: down. Reached but not answered: try again. */
  private static Outcome outcome(@Nullable ErrorClass error, String reason) {
    if (error == ErrorClass.RESET || error == ErrorClass.TIMEOUT) {
      return new Outcome.Retry(null, error, reason);
    }
    return new Outcome.SinkDown(error == null ? ErrorClass.LOCAL : error, reason);
  }

  /** Whether the type of this exception, or of one of its causes, says what went wrong. */
  static boolean areTold(@Nullable Throwable failure) {
    return telling(failure) != null;
  }

  /** The most precise exception of the chain: a plain I/O error only if there is nothing better. */
  private static @Nullable Throwable telling(@Nullable Throwable failure) {
    Throwable reset = null;
    Throwable cause = failure;
    for (int i = 0; cause != null && i < MAX_CAUSES; i++, cause = cause.getCause()) {
      ErrorClass error = classOf(cause);
      if (error != null && error != ErrorClass.RESET) {
        return cause;
      }
      if (error != null && reset == null) {
        reset = cause;
      }
    }
    return reset;
  }

  private static @Nullable ErrorClass classOf(Throwable failure) {
    return switch (failure) {
      case PolicyDeniedException e -> ErrorClass.POLICY;
      case ProxyException e -> e.error();
      case UnknownHostException e -> ErrorClass.DNS;
      case SSLException e -> ErrorClass.TLS;
      case CertificateException e -> ErrorClass.TLS;
      case ConnectException e -> ErrorClass.CONNECT; // Netty's ConnectTimeoutException too
      case NoRouteToHostException e -> ErrorClass.CONNECT;
      case UnresolvedAddressException e -> ErrorClass.CONNECT;
      case TimeoutException e -> ErrorClass.TIMEOUT;
      case RejectedExecutionException e -> ErrorClass.LOCAL;
      case IOException e -> ErrorClass.RESET;
      default -> null;
    };
  }

  private static String describe(Throwable failure) {
    String kind = failure.getClass().getSimpleName();
    String message = failure.getMessage();
    return switch (failure) {
      case PolicyDeniedException e -> String.valueOf(message);
      case ProxyException e -> String.valueOf(message);
      case UnknownHostException e -> "the name cannot be resolved: " + message;
      case ConnectException e when message != null -> SinkWords.clean(message); // says it all
      default -> SinkWords.clean(message == null ? kind : kind + ": " + message);
    };
  }
}
