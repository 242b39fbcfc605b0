import { expect, test } from "bun:test";
import { readTraceSettings } from "./settings.ts";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/" };

test("nobody asks for traces where no endpoint is set, or they are turned off", () => {
  expect(readTraceSettings({})).toBeUndefined();
  expect(readTraceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: "" })).toBeUndefined();
  expect(readTraceSettings({ ...ENDPOINT, OTEL_SDK_DISABLED: "true" })).toBeUndefined();
  expect(readTraceSettings({ ...ENDPOINT, OTEL_TRACES_EXPORTER: "none" })).toBeUndefined();
});

test("the variables of traces go before those of all signals", () => {
  expect(readTraceSettings(ENDPOINT)).toEqual({
    url: "http://collector:4318/v1/traces",
    headers: {},
    timeoutMs: 10_000,
    ratio: 1,
    isParentBased: true,
    resource: { "service.name": "taskonaut" },
  });
  const all = {
    ...ENDPOINT,
    OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%2Cb, other=1",
    OTEL_EXPORTER_OTLP_TIMEOUT: "500",
    OTEL_RESOURCE_ATTRIBUTES: "service.name=shop,deployment.environment=prod",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
  };
  expect(readTraceSettings(all)).toMatchObject({
    headers: { "api-key": "a,b", other: "1" },
    timeoutMs: 500,
    resource: { "service.name": "shop", "deployment.environment": "prod" },
  });
  const own = {
    ...all,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces/in",
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: "other=2",
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "7",
    OTEL_SERVICE_NAME: "billing",
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0.25",
  };
  expect(readTraceSettings(own)).toMatchObject({
    url: "https://traces/in",
    headers: { "api-key": "a,b", other: "2" },
    timeoutMs: 7,
    ratio: 0.25,
    isParentBased: true,
    resource: { "service.name": "billing" },
  });
});

test.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, "no http(s) URL"],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, "set http/json"],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_TIMEOUT: "10s" }, "whole number of milliseconds"],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: "secret" }, 'has no "="'],
  [{ ...ENDPOINT, OTEL_RESOURCE_ATTRIBUTES: "a=%zz" }, 'a "%" that begins no code'],
  [{ ...ENDPOINT, OTEL_TRACES_SAMPLER: "jaeger_remote" }, "traceidratio"],
  [{ ...ENDPOINT, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "10%" }, "from 0 to 1"],
])("what cannot be done is said: %j", (env, message) => {
  expect(() => readTraceSettings(env)).toThrow(message);
});
