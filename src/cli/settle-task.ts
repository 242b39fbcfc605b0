// Decides which task to create: from the typed arguments, and from the answers of a person.

import type { Json } from "../core/record/json-value.ts";
import type { CreateTask } from "../core/api/create-task.ts";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import { DEFAULT_FLOW } from "../core/flow/default-flow.ts";
import { askMissing, askTask, type CheckOf, type Mode } from "./ask-task.ts";
import type { Option } from "./option.ts";
import type { Call } from "./command.ts";
import { findFlow } from "./find-flow.ts";
import { untilTaken } from "./questions/ask-again.ts";
import type { Form } from "./questions/form.ts";
import { findCheck } from "./questions/contract-check.ts";
import { canAsk } from "./questions/open-questions.ts";
import { INPUT_OPTION, readInput } from "./read-input.ts";

interface Typed {
  readonly flow: string;
  /** Nothing was typed: neither a flow nor anything of its input. */
  readonly isNothing: boolean;
  readonly input: unknown;
}

/** `options` are those that the command has. Opens no store: what cannot be meant touches nothing. Throws usage. */
export async function readTyped(call: Call, options: readonly Option[]): Promise<Typed> {
  const [flow = DEFAULT_FLOW] = call.args;
  const input = await readInput(call, options, async () => {
    const { wiring, isRemote } = call;
    return (await findFlow(wiring, { name: flow, isRemote })).flow;
  });
  return { flow, input, isNothing: call.args.length === 0 && call.fields.length === 0 };
}

export interface Settled {
  readonly request: CreateTask;
  readonly mode: Mode;
  /** The form, if a person was asked: for everything, or for what they had left out. */
  readonly form?: Form;
}

export async function settleTask(
  call: Call,
  taskonaut: Taskonaut,
  { flow, input, isNothing }: Typed,
  mode: Mode | undefined,
): Promise<Settled> {
  // `--input` gives anything, and then nobody is asked
  if (!canAsk(call) || call.flags.has(INPUT_OPTION.name)) return { request: { flow, input }, mode: mode ?? "run" };
  const checkOf: CheckOf = (name) => findCheck(call, { flow: name });
  if (isNothing) {
    const asked = await askTask(call.io, { flows: await taskonaut.listFlows(), mode, checkOf });
    return { request: requestOf(asked.flow.name, asked.form), mode: asked.mode, form: asked.form };
  }
  const given = input as { readonly [name: string]: Json };
  const form = await askMissing(call.io, await taskonaut.describeFlow(flow), given, checkOf);
  return {
    request: form ? requestOf(flow, form) : { flow, input },
    mode: mode ?? "run",
    ...(form && { form }),
  };
}

/** Creates the task. A person who was asked is asked again for what the contract refuses. */
export function createSettled<T>(
  { request, form }: Pick<Settled, "request" | "form">,
  create: (request: CreateTask) => Promise<T>,
): Promise<T> {
  return untilTaken(form, () => create(form ? requestOf(request.flow, form) : request));
}

function requestOf(flow: string, { draft }: Form): CreateTask {
  return { flow, input: draft.value ?? {} };
}
