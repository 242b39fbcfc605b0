// Questions for a person at a terminal: which flow, each field of its input, and what to do with the task.

import type * as Clack from "@clack/prompts";
import { TaskonautError } from "../core/errors.ts";
import type { Json } from "../core/record/json-value.ts";
import type { CreateTask, FlowDescription } from "../core/api/taskonaut.ts";
import { showControls } from "../log/visible.ts";
import { findBreach } from "./field-breach.ts";
import { readField } from "./input-fields.ts";
import { formOf } from "./input-form.ts";
import type { JsonSchema } from "./json-schema.ts";
import type { Io } from "./io.ts";

export const MODES = ["run", "advance", "create", "enqueue"] as const;
/** What `run-flow` does with the task that it created. */
export type Mode = (typeof MODES)[number];

const MODE_HINTS: Readonly<Record<Mode, string>> = {
  run: "to the end",
  advance: "one transition",
  create: "nothing yet",
  enqueue: "a worker runs it",
};

export interface Answers {
  readonly request: CreateTask;
  readonly mode: Mode;
}

/** Asks for what is not known yet. Throws `cancelled` when a question is answered with Ctrl-C or Escape. */
export async function askTask(
  io: Pick<Io, "openTerminal">,
  known: { readonly flows: readonly FlowDescription[]; readonly mode: Mode | undefined },
): Promise<Answers> {
  const ask = await openQuestions(io);
  const flow = await askFlow(ask, known.flows);
  const input = await askFields(ask, fieldsOf(flow));
  return { request: { flow: flow.name, input }, mode: known.mode ?? (await askMode(ask)) };
}

/** Asks for the fields that a task cannot do without and that `input` lacks; undefined where it lacks none. */
export async function askMissing(
  io: Pick<Io, "openTerminal">,
  flow: FlowDescription,
  input: object,
): Promise<Record<string, Json> | undefined> {
  const missing = fieldsOf(flow).filter(
    ({ name, schema, isRequired }) => isRequired && !("default" in schema) && !Object.hasOwn(input, name),
  );
  return missing.length === 0 ? undefined : askFields(await openQuestions(io), missing);
}

async function openQuestions(io: Pick<Io, "openTerminal">): Promise<Ask> {
  // loaded here, because every other command starts faster without it
  const clack = await import("@clack/prompts");
  const streams = io.openTerminal();
  return async (question) => {
    const answer = await question({ clack, streams });
    if (clack.isCancel(answer)) throw new TaskonautError("cancelled", "Cancelled. No task was created.");
    return answer;
  };
}

interface Prompts {
  readonly clack: typeof Clack;
  readonly streams: ReturnType<Io["openTerminal"]>;
}

type Ask = <T>(question: (prompts: Prompts) => Promise<T | typeof Clack.CANCEL_SYMBOL>) => Promise<T>;

async function askFlow(ask: Ask, flows: readonly FlowDescription[]): Promise<FlowDescription> {
  const [only] = flows;
  if (only && flows.length === 1) return only;
  const options = flows.map((flow) => ({
    value: flow,
    label: showControls(flow.name),
    hint: showControls(flow.description),
  }));
  return ask<FlowDescription>(({ clack, streams }) => clack.select({ ...streams, message: "Which flow?", options }));
}

function askMode(ask: Ask): Promise<Mode> {
  const options = MODES.map((mode) => ({ value: mode, label: mode, hint: MODE_HINTS[mode] }));
  return ask<Mode>(({ clack, streams }) => clack.select({ ...streams, message: "What to do with the task?", options }));
}

interface Field {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
  /** Not every form of the input has it: it must be possible to leave it out. */
  readonly isPartial: boolean;
}

function fieldsOf({ input_schema }: FlowDescription): Field[] {
  const { fields, required, partial } = formOf(input_schema);
  return [...fields].map(([name, schema]) => ({
    name,
    schema,
    isRequired: required.has(name),
    isPartial: partial.has(name),
  }));
}

async function askFields(ask: Ask, fields: readonly Field[]): Promise<Record<string, Json>> {
  const entries: [string, Json][] = [];
  for (const field of fields) {
    const value = await askField(ask, field);
    if (value !== undefined) entries.push([field.name, value]);
  }
  return Object.fromEntries(entries);
}

/** Undefined: left out. An empty answer takes the default that is shown. */
async function askField(ask: Ask, { name, schema, isRequired, isPartial }: Field): Promise<Json | undefined> {
  const { description, default: initial, type } = schema;
  const message = showControls(
    typeof description === "string" && description !== "" ? `${name}: ${description}` : name,
  );
  const choices = schema["enum"];
  if (Array.isArray(choices) && !isPartial) {
    const options = choices.map((choice: Json, index) => ({ value: index, label: showControls(toFieldText(choice)) }));
    const initialValue = Math.max(
      choices.findIndex((choice) => choice === initial),
      0,
    );
    const index = await ask<number>(({ clack, streams }) =>
      clack.select({ ...streams, message, options, initialValue }),
    );
    return choices[index] as Json;
  }
  if (type === "boolean" && !isPartial) {
    return ask<boolean>(({ clack, streams }) => clack.confirm({ ...streams, message, initialValue: initial === true }));
  }
  const preset = initial === undefined ? undefined : toFieldText(initial);
  const canBeEmpty = preset !== undefined || !isRequired;
  const validate = (text = ""): string | undefined => {
    if (text === "" && canBeEmpty) return undefined;
    const result = readField(schema, text);
    return result.ok ? findBreach(schema, result.value) : result.message;
  };
  const hint =
    preset === undefined
      ? { placeholder: isRequired ? "" : "may be left empty" }
      : { placeholder: showControls(preset), defaultValue: preset };
  const text = await ask<string>(({ clack, streams }) => clack.text({ ...streams, message, ...hint, validate }));
  if (text === "" && !isRequired) return undefined;
  const result = readField(schema, text);
  if (!result.ok) throw new Error(`The prompt let pass what the field ${name} does not take: ${result.message}`);
  return result.value;
}

/** The text that readField would read back. */
function toFieldText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
