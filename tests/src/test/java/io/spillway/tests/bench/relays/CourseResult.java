package io.spillway.tests.bench.relays;

import java.util.List;
import java.util.Map;

/**
 * How the relays of a run got through the courses of one scenario.
 *
 * @param samples of each by its name, one a round
 */
record CourseResult(
    Scenario scenario, int outageSeconds, Map<String, List<CourseSample>> samples) {}
