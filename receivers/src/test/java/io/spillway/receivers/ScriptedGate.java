package io.spillway.receivers;

import io.spillway.otlp.RequestBytes;
import io.spillway.otlp.Signal;
import io.spillway.otlp.Slice;
import io.spillway.otlp.stage.Answer;
import io.spillway.otlp.stage.Gate;
import io.spillway.otlp.stage.Sender;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A gate that remembers what it was given and answers as told. */
final class ScriptedGate implements Gate {
  private final List<Submission> submissions = new CopyOnWriteArrayList<>();
  private volatile Consumer<Submission> script =
      submission -> submission.answer().accept(new Answer.Accepted(1));

  private volatile Set<String> headers = Set.of();

  void onSubmit(Consumer<Submission> newScript) {
    script = newScript;
  }

  /** Asks for these headers from now on. */
  void ask(String... names) {
    headers = Set.of(names);
  }

  @Override
  public Set<String> headers() {
    return headers;
  }

  void answerWith(Answer answer) {
    script = submission -> submission.answer().accept(answer);
  }

  List<Submission> submissions() {
    return submissions;
  }

  byte[] onlyRequest() {
    if (submissions.size() != 1) {
      throw new AssertionError(submissions.size() + " requests submitted");
    }
    return submissions.getFirst().request().toByteArray();
  }

  @Override
  public void submit(
      Signal signal, RequestBytes request, Sender sender, Consumer<? super Answer> answer) {
    Submission submission = new Submission(signal, request.plain(), request.gzip(), sender, answer);
    submissions.add(submission);
    script.accept(submission);
  }

  record Submission(
      Signal signal,
      Slice request,
      @Nullable Slice gzip,
      Sender sender,
      Consumer<? super Answer> answer) {}
}
