"""Sends COUNT spans, log records and data points through the OpenTelemetry SDK; exits with 0 if every export was acknowledged.

usage: python send.py grpc|http/protobuf ENDPOINT none|gzip COUNT
"""

import importlib
import logging
import sys

from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

protocol, endpoint, compression, count = sys.argv[1:]
grpc = protocol == "grpc"


class Failures(logging.Handler):
    """The exporters tell of what went wrong in the log alone."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record):
        self.count += 1
        print(self.format(record), file=sys.stderr)


failures = Failures()
logging.getLogger("opentelemetry").addHandler(failures)


def exporter(module, name, signal):
    package = f"opentelemetry.exporter.otlp.proto.{'grpc' if grpc else 'http'}"
    kind = getattr(importlib.import_module(f"{package}.{module}"), name)
    if grpc:
        import grpc as transport

        codec = {"none": transport.Compression.NoCompression, "gzip": transport.Compression.Gzip}
        return kind(endpoint=endpoint, insecure=True, compression=codec[compression])
    codec = getattr(importlib.import_module(package), "Compression")(compression)
    return kind(endpoint=f"{endpoint}/v1/{signal}", compression=codec)


resource = Resource.create({"service.name": "python"})
tracers = TracerProvider(resource=resource)
tracers.add_span_processor(BatchSpanProcessor(exporter("trace_exporter", "OTLPSpanExporter", "traces")))
loggers = LoggerProvider(resource=resource)
loggers.add_log_record_processor(BatchLogRecordProcessor(exporter("_log_exporter", "OTLPLogExporter", "logs")))
meters = MeterProvider(
    resource=resource,
    metric_readers=[
        PeriodicExportingMetricReader(
            exporter("metric_exporter", "OTLPMetricExporter", "metrics"), export_interval_millis=3_600_000
        )
    ],
)

tracer = tracers.get_tracer("interop")
log = logging.getLogger("interop")
log.setLevel(logging.INFO)
log.propagate = False
log.addHandler(LoggingHandler(logger_provider=loggers))
counter = meters.get_meter("interop").create_counter("sent")
for i in range(int(count)):
    tracer.start_span(f"span-{i}", attributes={"i": i, "text": "déjà vu", "many": ["a", "b"]}).end()
    log.info(f"record-{i}", extra={"i": i})
    counter.add(1, {"i": i})

flushed = [provider.force_flush() for provider in (tracers, loggers, meters)]
for provider in (tracers, loggers, meters):
    provider.shutdown()
sys.exit(0 if all(flushed) and failures.count == 0 else 1)
