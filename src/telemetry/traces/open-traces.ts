// Opens the exporter that the environment variables ask for.

import type { Log } from "../../core/log.ts";
import { TraceExporter } from "./exporter.ts";
import { readTraceSettings } from "./settings.ts";

interface TraceOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** The program's version. */
  readonly version: string;
}

/** Undefined: the variables do not ask for traces. Throws usage. */
export function openTraces({ env, ...options }: TraceOptions): TraceExporter | undefined {
  const settings = readTraceSettings(env);
  return settings && new TraceExporter({ settings, ...options });
}
