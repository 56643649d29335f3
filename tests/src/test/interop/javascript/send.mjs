// Sends COUNT spans, log records and data points through the OpenTelemetry SDK, and ends with 0 if every export was acknowledged.
// usage: node send.mjs grpc|http/protobuf|http/json ENDPOINT none|gzip COUNT

import { diag, DiagLogLevel } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';

const [protocol, endpoint, compression, count] = process.argv.slice(2);
const packages = { grpc: 'grpc', 'http/protobuf': 'proto', 'http/json': 'http' };

let failures = 0;
const failed = (...words) => {
  failures++;
  console.error(...words);
};
const silent = () => {};
diag.setLogger(
  { error: failed, warn: failed, info: silent, debug: silent, verbose: silent },
  DiagLogLevel.WARN,
);

async function exporter(signal, name) {
  const exporters = await import(`@opentelemetry/exporter-${signal}-otlp-${packages[protocol]}`);
  const url = protocol === 'grpc' ? endpoint : `${endpoint}/v1/${signal === 'trace' ? 'traces' : signal}`;
  return new exporters[name]({ url, compression });
}

const resource = resourceFromAttributes({ 'service.name': 'javascript' });
const tracers = new BasicTracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor(await exporter('trace', 'OTLPTraceExporter'))],
});
const loggers = new LoggerProvider({
  resource,
  processors: [new BatchLogRecordProcessor({ exporter: await exporter('logs', 'OTLPLogExporter') })],
});
const meters = new MeterProvider({
  resource,
  readers: [
    new PeriodicExportingMetricReader({
      exporter: await exporter('metrics', 'OTLPMetricExporter'),
      exportIntervalMillis: 3_600_000,
    }),
  ],
});

const tracer = tracers.getTracer('interop');
const logger = loggers.getLogger('interop');
const counter = meters.getMeter('interop').createCounter('sent');
for (let i = 0; i < Number(count); i++) {
  tracer.startSpan(`span-${i}`, { attributes: { i, text: 'déjà vu', many: ['a', 'b'] } }).end();
  logger.emit({ severityNumber: 9, severityText: 'INFO', body: `record-${i}`, attributes: { i } });
  counter.add(1, { i });
}

for (const provider of [tracers, loggers, meters]) {
  await provider.forceFlush().catch(failed);
  await provider.shutdown().catch(failed);
}
process.exit(failures === 0 ? 0 : 1);
