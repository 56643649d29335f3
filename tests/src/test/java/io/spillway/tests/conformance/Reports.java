package io.spillway.tests.conformance;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * The results of all tests of a build, from the reports of Surefire and Failsafe. A report that is
 * older than the build is of a test that did not run in it.
 */
final class Reports {
  private static final XMLInputFactory XML = XMLInputFactory.newDefaultFactory();

  static {
    XML.setProperty(XMLInputFactory.SUPPORT_DTD, false);
  }

  private final Map<String, Result> results = new HashMap<>();

  static Reports of(Path repository, Instant buildStart) throws IOException {
    Reports reports = new Reports();
    for (String kind : new String[] {"surefire", "failsafe"}) {
      try (DirectoryStream<Path> modules = Files.newDirectoryStream(repository)) {
        for (Path module : modules) {
          reports.readAll(module.resolve("target").resolve(kind + "-reports"), buildStart);
        }
      }
    }
    return reports;
  }

  /** The result of all cases of a test method together. */
  Result of(String className, String method) {
    return results.getOrDefault(className + "." + method, Result.NOT_RUN);
  }

  private void readAll(Path directory, Instant buildStart) throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "TEST-*.xml")) {
      for (Path file : files) {
        if (!Files.getLastModifiedTime(file).toInstant().isBefore(buildStart)) {
          read(file);
        }
      }
    }
  }

  private void read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      XMLStreamReader xml = XML.createXMLStreamReader(in);
      String test = "";
      while (xml.hasNext()) {
        int event = xml.next();
        if (event == XMLStreamConstants.START_ELEMENT) {
          switch (xml.getLocalName()) {
            case "testcase" -> {
              test = test(xml);
              results.merge(test, Result.PASSED, Result::and);
            }
            case "failure", "error" -> results.merge(test, Result.FAILED, Result::and);
            case "skipped" -> results.merge(test, Result.NOT_RUN, Result::and);
            default -> {}
          }
        }
      }
    } catch (XMLStreamException e) {
      throw new IOException(file + " is no report", e);
    }
  }

  /** Class and method, without the arguments and the number of a case: {@code m(String)[2]}. */
  private static String test(XMLStreamReader testcase) {
    String name = testcase.getAttributeValue(null, "name");
    return testcase.getAttributeValue(null, "classname") + "." + name.split("[(\\[{]", 2)[0];
  }
}
