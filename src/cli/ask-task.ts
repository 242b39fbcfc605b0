// Questions about a new task: which flow, which input, and what to do with the task.

import type { Json } from "../core/record/json-value.ts";
import type { FlowDescription } from "../core/api/taskonaut.ts";
import { findBreach } from "./field-breach.ts";
import { formOf } from "./input-form.ts";
import type { Io } from "./io.ts";
import { type JsonSchema, schemaWithin } from "./json-schema.ts";
import { askField } from "./questions/ask-field.ts";
import { Draft } from "./questions/draft.ts";
import type { Form } from "./questions/form.ts";
import { type Check, createJudge } from "./questions/judge.ts";
import { openQuestions, type Questions } from "./questions/open-questions.ts";

export const MODES = ["run", "advance", "create", "enqueue"] as const;
/** What `run-flow` does with the task that it created. */
export type Mode = (typeof MODES)[number];

const MODE_HINTS: Readonly<Record<Mode, string>> = {
  run: "to the end",
  advance: "one transition",
  create: "nothing yet",
  enqueue: "a worker runs it",
};

const FAREWELL = "Cancelled. No task was created.";

/** Checks by the contract of the flow's input. Undefined if only its JSON Schema is known. */
export type CheckOf = (flow: string) => Promise<Check | undefined>;

export interface Answers {
  readonly flow: FlowDescription;
  readonly mode: Mode;
  readonly form: Form;
}

/** Asks for everything that is still unknown. Throws `cancelled` if a person presses Ctrl-C or Escape. */
export async function askTask(
  io: Pick<Io, "openTerminal" | "stderr">,
  known: { readonly flows: readonly FlowDescription[]; readonly mode: Mode | undefined; readonly checkOf: CheckOf },
): Promise<Answers> {
  const questions = await openQuestions(io, FAREWELL);
  const flow = await askFlow(questions, known.flows);
  const form = await formFor(questions, flow, known.checkOf);
  await askField(form, { keys: [], schema: form.schema, isRequired: true });
  return { flow, form, mode: known.mode ?? (await askMode(questions)) };
}

/**
 * Asks for the required fields that `input` lacks, or for all fields if it is empty. Undefined if it lacks none.
 */
export async function askMissing(
  io: Pick<Io, "openTerminal" | "stderr">,
  flow: FlowDescription,
  input: { readonly [name: string]: Json },
  checkOf: CheckOf,
): Promise<Form | undefined> {
  const schema = rootOf(flow);
  const { fields, required } = formOf(schema);
  const missing = [...fields].filter(
    ([name, field]) => required.has(name) && !("default" in field) && !Object.hasOwn(input, name),
  );
  if (missing.length === 0 && findBreach(schema, input) === undefined) return undefined;
  const form = await formFor(await openQuestions(io, FAREWELL), flow, checkOf, input);
  if (Object.keys(input).length === 0) await askField(form, { keys: [], schema, isRequired: true });
  else for (const [name, field] of missing) await askField(form, { keys: [name], schema: field, isRequired: true });
  return form;
}

async function formFor(
  questions: Questions,
  flow: FlowDescription,
  checkOf: CheckOf,
  input: { readonly [name: string]: Json } = {},
): Promise<Form> {
  const draft = new Draft(Object.keys(input).length === 0 ? undefined : input);
  return { questions, draft, judge: createJudge(await checkOf(flow.name)), schema: rootOf(flow), whole: "input" };
}

/** It may be a reference itself. */
function rootOf({ input_schema: schema }: FlowDescription): JsonSchema {
  return schemaWithin(schema, schema);
}

async function askFlow(questions: Questions, flows: readonly FlowDescription[]): Promise<FlowDescription> {
  const [only] = flows;
  if (only && flows.length === 1) return only;
  const choices = flows.map((flow) => ({ value: flow, label: flow.name, hint: flow.description }));
  return questions.choose("Which flow?", choices);
}

function askMode(questions: Questions): Promise<Mode> {
  const choices = MODES.map((mode) => ({ value: mode, label: mode, hint: MODE_HINTS[mode] }));
  return questions.choose("What to do with the task?", choices);
}
