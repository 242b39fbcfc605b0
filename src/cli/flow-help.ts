// What the help says of one flow: its fields, its signals, a call that runs it.

import type { CheckedInput } from "../core/api/flow-catalog.ts";
import type { FlowDescription } from "../core/api/taskonaut.ts";
import type { Json } from "../core/record/json-value.ts";
import { showControls } from "../core/visible.ts";
import { wrapText } from "./cells.ts";
import type { Option } from "./option.ts";
import type { Command } from "./command.ts";
import { wordsOfInput } from "./example-call.ts";
import { describeLimits } from "./describe-limits.ts";
import { exampleOf, takesNull } from "./example-value.ts";
import { flagRows, payloadRows } from "./field-rows.ts";
import type { Hints } from "./hint.ts";
import { type JsonSchema, typesOf } from "./json-schema.ts";
import { GLOBAL_OPTIONS } from "./options.ts";
import { type HelpSection, layRows } from "./help-rows.ts";

/** A flow as a command finds it. */
export interface FoundFlow {
  readonly flow: FlowDescription;
  /** Plans a task of the flow without creating one. Throws input_invalid. Undefined if only a server could do it. */
  readonly check: ((input: unknown) => CheckedInput) | undefined;
}

/** An input that the flow takes, with the steps that it would plan. Undefined if none is known. */
export function exampleInput({ flow, check }: FoundFlow): { input: Json; steps: CheckedInput["steps"] } | undefined {
  const example = exampleOf(flow.input_schema);
  if (example === undefined) return undefined;
  try {
    return { input: example.value, steps: check?.(example.value).steps ?? null };
  } catch {
    return undefined; // its contract checks more than its schema says, or its plan fails: no working example is known
  }
}

/** A call of the command for the flow that works when pasted. Undefined if none is known. */
export function exampleLine(found: FoundFlow, command: Command, hints: Hints): string | undefined {
  const example = exampleInput(found);
  if (example === undefined) return undefined;
  const [hint] = hints.give("runExample", {
    command: command.name,
    flow: found.flow.name,
    fields: wordsOfInput(example.input, optionsBeside(command)),
  });
  return hint?.command;
}

/** Options that a field of the flow's input may share its name with. */
function optionsBeside(command: Command): readonly Option[] {
  return [...command.options, ...GLOBAL_OPTIONS];
}

/** Its fields, as flags of the command. */
export function fieldsSection({ name, input_schema }: FlowDescription, command: Command, columns: number): HelpSection {
  const rows = flagRows(input_schema, optionsBeside(command));
  const title = `Fields of ${showControls(name)}`;
  if (rows.length > 0) return { title, body: layRows(rows, { columns }) };
  const none = exampleOf(input_schema)?.value;
  const isObject = typeof none === "object" && none !== null && !Array.isArray(none);
  const text = isObject ? "It takes no fields." : "Its input is not an object with fields: pass it whole with --input.";
  return { title, body: indented(wrapText(text, columns - 2)) };
}

/** Its signals with the fields of their payloads; nothing where it has none. */
export function signalsSection({ signals }: FlowDescription, columns: number): HelpSection | undefined {
  const names = Object.keys(signals);
  if (names.length === 0) return undefined;
  const body = names.flatMap((name) => {
    const rows = payloadRows(signals[name] ?? {});
    const payload =
      rows.length === 0
        ? `    ${describePayload(signals[name] ?? {})}`
        : layRows(rows, { columns: columns - 2 }).replaceAll(/^/gm, "  ");
    return [`  ${showControls(name)}`, payload];
  });
  return { title: "Signals", body: body.join("\n") };
}

/** Calls that send each signal of the flow to its newest task, for the signals with a known example payload. */
export function signalLines({ name: flow, signals }: FlowDescription, hints: Hints): readonly string[] {
  return Object.entries(signals).flatMap(([name, schema]) => {
    const example = takesNull(schema) ? undefined : exampleOf(schema);
    if (!example && !takesNull(schema)) return [];
    const payload = example && JSON.stringify(example.value);
    return hints.give("signalTask", { id: `@last:${flow}`, name, payload }).flatMap(({ command }) => command ?? []);
  });
}

/** Of one that has no fields. */
function describePayload(schema: JsonSchema): string {
  const types = typesOf(schema);
  const said = [types.length === 0 ? "any JSON" : types.join(" or "), ...describeLimits(schema)];
  return showControls(said.join("; "));
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}
