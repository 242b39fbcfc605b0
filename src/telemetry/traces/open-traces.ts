// Where spans are sent to, as the variables say.

import type { Log } from "../../core/log.ts";
import { TraceExporter } from "./exporter.ts";
import { readTraceSettings } from "./settings.ts";

interface TraceOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Of the program. */
  readonly version: string;
}

/** Undefined: the variables ask for none. Throws usage. */
export function openTraces({ env, ...options }: TraceOptions): TraceExporter | undefined {
  const settings = readTraceSettings(env);
  return settings && new TraceExporter({ settings, ...options });
}
