// Which task is to be made: from what was typed, and from a person's answers where one is there.

import type { Taskonaut } from "../core/api/taskonaut.ts";
import { DEFAULT_FLOW } from "../core/flow/default-flow.ts";
import { type Answers, askMissing, askTask, type Mode } from "./ask-task.ts";
import type { Call, Option } from "./command.ts";
import { findFlow } from "./find-flow.ts";
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

/** Tells also whether a person was asked for any of it: for everything, or for what they left out. */
export async function settleTask(
  call: Call,
  taskonaut: Taskonaut,
  { flow, input, isNothing }: Typed,
  mode: Mode | undefined,
): Promise<Answers & { readonly asked: boolean }> {
  const request = { flow, input };
  if (!canAsk(call)) return { asked: false, request, mode: mode ?? "run" };
  if (isNothing) return { asked: true, ...(await askTask(call.io, { flows: await taskonaut.listFlows(), mode })) };
  const given = input as object; // `--input` gives anything else, and then nobody is asked
  const missing = await askMissing(call.io, await taskonaut.describeFlow(flow), given);
  return {
    asked: missing !== undefined,
    request: { flow, input: { ...given, ...missing } },
    mode: mode ?? "run",
  };
}

/** A person is there, wants text, and has not given the input as a whole. */
function canAsk({ io, look, flags }: Call): boolean {
  return io.stdinIsTTY && io.stderr.isTTY && look.style === "readable" && !flags.has(INPUT_OPTION.name);
}
