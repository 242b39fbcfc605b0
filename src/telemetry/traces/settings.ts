// Reads OpenTelemetry's environment variables for traces.
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/

import { TaskonautError } from "../../core/errors.ts";

export interface TraceSettings {
  /** The URL that spans are posted to. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** The share of tasks whose spans are sent, 0 to 1. */
  readonly ratio: number;
  /** For a task created in another trace, the sampled flag of that trace decides. */
  readonly isParentBased: boolean;
  /** Attributes of the resource: who sends the spans. */
  readonly resource: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const TIMEOUT_MS = 10_000;

/** Undefined: traces are off. Throws usage if a variable asks for something that is not supported. */
export function readTraceSettings(env: Environment): TraceSettings | undefined {
  if (env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true" || env["OTEL_TRACES_EXPORTER"] === "none") return undefined;
  const url = urlOf(env);
  if (url === undefined) return undefined;
  const protocol = first(env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"], env["OTEL_EXPORTER_OTLP_PROTOCOL"]) ?? "http/json";
  if (protocol !== "http/json" && protocol !== "http/protobuf") {
    throw new TaskonautError(
      "usage",
      `OTEL_EXPORTER_OTLP_PROTOCOL is ${JSON.stringify(protocol)}, but traces are sent over HTTP as JSON alone: set http/json, and the HTTP port of the collector (4318 as a rule).`,
    );
  }
  const attributes = pairsOf("OTEL_RESOURCE_ATTRIBUTES", env["OTEL_RESOURCE_ATTRIBUTES"]);
  const service = env["OTEL_SERVICE_NAME"] || attributes["service.name"] || "taskonaut";
  return {
    url,
    headers: {
      ...pairsOf("OTEL_EXPORTER_OTLP_HEADERS", env["OTEL_EXPORTER_OTLP_HEADERS"]),
      ...pairsOf("OTEL_EXPORTER_OTLP_TRACES_HEADERS", env["OTEL_EXPORTER_OTLP_TRACES_HEADERS"]),
    },
    timeoutMs: timeoutOf(first(env["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"], env["OTEL_EXPORTER_OTLP_TIMEOUT"])),
    ratio: ratioOf(env),
    isParentBased: samplerOf(env).startsWith(PARENT_BASED),
    resource: { ...attributes, "service.name": service },
  };
}

/** An empty variable counts as unset. */
function first(own: string | undefined, general: string | undefined): string | undefined {
  return own || general || undefined;
}

function urlOf(env: Environment): string | undefined {
  const own = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] || undefined;
  const base = env["OTEL_EXPORTER_OTLP_ENDPOINT"] || undefined;
  const name = own === undefined ? "OTEL_EXPORTER_OTLP_ENDPOINT" : "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
  const text = own ?? base;
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TaskonautError(
      "usage",
      `${name} is ${JSON.stringify(text)}, which is no http(s) URL; write for example http://127.0.0.1:4318.`,
    );
  }
  if (own === undefined) url.pathname = `${url.pathname.replace(/\/+$/, "")}/v1/traces`;
  return url.href;
}

function timeoutOf(text: string | undefined): number {
  if (text === undefined) return TIMEOUT_MS;
  const ms = Number(text);
  if (Number.isInteger(ms) && ms >= 1) return ms;
  throw new TaskonautError(
    "usage",
    `OTEL_EXPORTER_OTLP_TIMEOUT is ${JSON.stringify(text)}; write a whole number of milliseconds, such as 10000.`,
  );
}

const PARENT_BASED = "parentbased_";

/** The default is OpenTelemetry's. */
function samplerOf(env: Environment): string {
  return env["OTEL_TRACES_SAMPLER"] || `${PARENT_BASED}always_on`;
}

/** All spans of a task are sent or none, whichever process sends them. */
function ratioOf(env: Environment): number {
  const sampler = samplerOf(env).replace(PARENT_BASED, "");
  if (sampler === "always_on") return 1;
  if (sampler === "always_off") return 0;
  if (sampler !== "traceidratio") {
    throw new TaskonautError(
      "usage",
      `OTEL_TRACES_SAMPLER is ${JSON.stringify(sampler)}; known are always_on, always_off and traceidratio, each also with parentbased_ before it.`,
    );
  }
  const text = env["OTEL_TRACES_SAMPLER_ARG"] || "1";
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  throw new TaskonautError(
    "usage",
    `OTEL_TRACES_SAMPLER_ARG is ${JSON.stringify(text)}; write the share of tasks, from 0 to 1, such as 0.1.`,
  );
}

/** `a=1,b=2`, each side encoded as in a URL. They may contain secrets, so an error does not show them. */
function pairsOf(name: string, text = ""): Readonly<Record<string, string>> {
  const parts = text.split(",").map((part) => part.trim());
  return Object.fromEntries(
    parts
      .filter((part) => part !== "")
      .map((part) => {
        const at = part.indexOf("=");
        if (at < 1)
          throw new TaskonautError("usage", `${name} is to be name=value,name=value; a part of it has no "=".`);
        return [decoded(part.slice(0, at), name), decoded(part.slice(at + 1), name)];
      }),
  );
}

function decoded(text: string, name: string): string {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    throw new TaskonautError("usage", `${name} has a "%" that begins no code; write %25 for a percent sign.`);
  }
}
