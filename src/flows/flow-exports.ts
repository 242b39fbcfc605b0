// Reads the exports of a flow file. Besides flows, it may export anything, except a value that only looks like a flow.

import { TaskonautError } from "../core/errors.ts";
import { isFlow, isForeignFlow, type Flow } from "../core/flow/flow.ts";
import { positionOf } from "./position.ts";

/** Throws flow_load_failed. `mustHaveFlow`: a file without a flow is an error as well. */
export function readExports(
  { path, mustHaveFlow }: { readonly path: string; readonly mustHaveFlow: boolean },
  exports: Readonly<Record<string, unknown>>,
): readonly Flow[] {
  const flows: Flow[] = [];
  for (const [name, value] of Object.entries(exports)) {
    if (isFlow(value)) {
      flows.push(value);
      continue;
    }
    const wrong = isForeignFlow(value) ? describeForeign(name) : describeWrong(name, value);
    if (wrong !== undefined) throw fail(positionOf(path, exportOf(name)), wrong);
  }
  if (flows.length === 0 && mustHaveFlow)
    throw fail(path, "the file exports no flow. Write export default defineFlow({ … }).");
  return flows;
}

function describeForeign(name: string): string {
  return (
    `${name === "default" ? "the default export" : `the export ${name}`} is a flow of another copy of "taskonaut", ` +
    'which this one cannot run. Import defineFlow and all else `from "taskonaut"`: the program provides it.'
  );
}

const WRITE = "Write defineFlow({ name, input, *run(input) { … } }).";

/**
 * A named export may be a helper of any kind. The default export, and a definition without `defineFlow`, must be flows.
 */
function describeWrong(name: string, value: unknown): string | undefined {
  if (typeof value === "function" && name === "default") {
    return `the default export is ${kindOf(value)}, not a flow. ${WRITE}`;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const isDefinition =
    "name" in value && "input" in value && ("plan" in value || "run" in value) && !("output" in value);
  if (!isDefinition) return undefined;
  return `the export ${name} looks like a flow, but did not go through defineFlow. ${WRITE}`;
}

function kindOf(value: object): string {
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  if (kind === "AsyncFunction") return "an async function";
  if (kind === "AsyncGeneratorFunction") return "an async generator";
  return kind === "GeneratorFunction" ? "a bare generator function" : "a function";
}

function exportOf(name: string): RegExp {
  return name === "default" ? /export\s+default\b|\bas\s+default\b/ : new RegExp(`\\b${RegExp.escape(name)}\\b`);
}

function fail(where: string, what: string): TaskonautError {
  return new TaskonautError("flow_load_failed", `${where}: ${what}`, { details: { file: where } });
}
