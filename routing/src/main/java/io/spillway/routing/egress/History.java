package io.spillway.routing.egress;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** The latest changes of a lane's exporters; hands each on to whoever listens. */
final class History {
  static final int MAX_KEPT = 64;

  private final Deque<Transition> transitions = new ArrayDeque<>();
  private final Listener listener;
  private long added;

  /** Hears of changes, and whether a person is needed to heal what went wrong. */
  @FunctionalInterface
  interface Listener {
    void moved(Transition transition, boolean needsOperator);
  }

  History(Listener listener) {
    this.listener = listener;
  }

  /** Adds a change that asks nothing of anybody. */
  void add(Transition transition) {
    add(transition, false);
  }

  void add(Transition transition, boolean needsOperator) {
    keep(transition);
    added++;
    listener.moved(transition, needsOperator);
  }

  /** Takes over the changes of an earlier process, which everybody has heard of. */
  void restore(List<Transition> earlier) {
    earlier.forEach(this::keep);
  }

  private void keep(Transition transition) {
    if (transitions.size() == MAX_KEPT) {
      transitions.removeFirst();
    }
    transitions.addLast(transition);
  }

  /** Changes that were added, ever. */
  long added() {
    return added;
  }

  /** Oldest first. */
  List<Transition> latest() {
    return List.copyOf(transitions);
  }
}
