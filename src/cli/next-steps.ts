// The commands with which a person can continue a task that has not ended, or has failed.

import { existsSync } from "node:fs";
import { isTerminal } from "../core/record/status.ts";
import type { PauseTarget } from "../core/api/pauses.ts";
import type { Task, TaskStep } from "../core/api/task.ts";
import type { FlowDescription, Taskonaut } from "../core/api/taskonaut.ts";
import type { Call } from "./command.ts";
import { isQueued, stepsInDoubt } from "../core/api/describe-waits.ts";
import { exampleOf, takesNull } from "./example-value.ts";
import type { Hint, Hints } from "./hint.ts";

/** At most so many signals, and steps in doubt, get hints. */
const HINTS_MAX = 8;

/**
 * For each signal with a known contract, the payload to show: JSON, or undefined if the contract takes none, or if no
 * example is found.
 */
type Payloads = ReadonlyMap<string, string | undefined>;

/**
 * The commands that continue the task. None if it has ended for good, or if somebody drives it right now. A hint that must
 * be followed before the others work comes first.
 */
export async function nextSteps(
  call: Pick<Call, "hints" | "wiring" | "isRemote">,
  taskonaut: Pick<Taskonaut, "describeFlow">,
  task: Task,
): Promise<readonly Hint[]> {
  const hints = hintsOfTask(call, task);
  const asksForSignal = signalsOf(task).length > 0 && isOpen(task);
  const steps = suggestSteps(task, hints, asksForSignal ? await findPayloads(call, taskonaut, task) : new Map());
  return [...hints.before(steps), ...steps];
}

/** The hints of the call, with the file of the task's flow if the call does not name it. */
export function hintsOfTask(
  { hints, wiring, isRemote }: Pick<Call, "hints" | "wiring" | "isRemote">,
  task: Task,
): Hints {
  const { flow_file: file } = task;
  const isMissing = file !== null && !isRemote && !wiring.hasFlowFile(file) && existsSync(file);
  return isMissing ? hints.withFlows(file) : hints;
}

export function suggestSteps(task: Task, hints: Hints, payloads: Payloads): readonly Hint[] {
  const { id } = task;
  const doubts = stepsInDoubt(task);
  if (doubts.length > 0) return suggestResolutions(id, doubts, hints);
  if (task.parked_reason !== null) return [...hints.give("resumeTask", { id }), ...hints.give("cancelByForce", { id })];
  if (task.status === "FAILED") return hasFailedTool(task) ? hints.give("retryTask", { id }) : [];
  if (isTerminal(task.status) || task.lease_owner !== null) return [];
  const pause = findPause(task);
  if (pause) return hints.give("unpause", { target: pause });
  if (isQueued(task)) return hints.isRemote ? hints.give("followTask", { id }) : hints.give("work");
  if (task.waiting_for.length === 0) return hints.give("runTask", { id });
  const signals = signalsOf(task);
  if (signals.length === 0) return hints.give("followTask", { id });
  return signals.slice(0, HINTS_MAX).flatMap((name) => suggestSignal(task, name, hints, payloads));
}

/** The pause that the task waits for: of its flow, of a tool, or of everything. */
export function findPause({ waiting_for, flow_name }: Task): PauseTarget | undefined {
  const pause = waiting_for.find(({ kind }) => kind === "pause");
  if (pause === undefined) return undefined;
  const { name } = pause;
  return name === null ? { scope: "all" } : { scope: name === flow_name ? "flow" : "tool", name };
}

/** If the contract of the signal is unknown, a hint that shows it: the flows of a server, or of a missing file, are not here. */
function suggestSignal(
  { id, flow_name, flow_file }: Task,
  name: string,
  hints: Hints,
  payloads: Payloads,
): readonly Hint[] {
  if (payloads.has(name) || hints.isRemote) return hints.give("signalTask", { id, name, payload: payloads.get(name) });
  if (flow_file !== null && !existsSync(flow_file)) return hints.give("flowFileGone", { file: flow_file });
  return hints.give("showFlow", { flow: flow_name, signal: name });
}

/** The names, each once. */
function signalsOf({ waiting_for }: Task): readonly string[] {
  return [...new Set(waiting_for.flatMap(({ kind, name }) => (kind === "signal" && name !== null ? [name] : [])))];
}

function isOpen(task: Task): boolean {
  return !isTerminal(task.status) && task.parked_reason === null && stepsInDoubt(task).length === 0;
}

/** The three ways in which a step in doubt can be settled: its effect happened, it did not happen, or it failed. */
function suggestResolutions(id: string, doubts: readonly TaskStep[], hints: Hints): readonly Hint[] {
  return doubts.slice(0, HINTS_MAX).flatMap(({ step_index }) => {
    const step = doubts.length === 1 ? undefined : step_index;
    return [
      ...hints.give("resolveByRetry", { id, step }),
      ...hints.give("resolveByFailing", { id, step }),
      ...hints.give("resolveByOutput", { step }),
    ];
  });
}

/** Whether there may be a step that `retry-task` can open again. */
function hasFailedTool({ steps }: Task): boolean {
  return steps.some((step) => step.status === "FAILED" && step.tool_calls.length > 0);
}

/** Payloads that satisfy the contracts, where the flow can be asked for them. */
async function findPayloads(
  call: Pick<Call, "wiring" | "isRemote">,
  taskonaut: Pick<Taskonaut, "describeFlow">,
  task: Task,
): Promise<Payloads> {
  const flow = await describeFlow(call, taskonaut, task.flow_name);
  return new Map(
    signalsOf(task).flatMap((name) => {
      const contract = flow?.signals[name];
      return contract === undefined ? [] : [[name, examplePayload(contract)]];
    }),
  );
}

/** JSON that satisfies the contract. Undefined if it takes no payload, or if no example is found. */
export function examplePayload(contract: FlowDescription["input_schema"]): string | undefined {
  const example = takesNull(contract) ? undefined : exampleOf(contract);
  return example && JSON.stringify(example.value);
}

/** A command that only reads has loaded no flow files, so they are loaded here. Undefined if that fails. */
function describeFlow(
  { wiring, isRemote }: Pick<Call, "wiring" | "isRemote">,
  taskonaut: Pick<Taskonaut, "describeFlow">,
  name: string,
): Promise<FlowDescription | undefined> {
  return taskonaut
    .describeFlow(name)
    .catch(async () => (isRemote ? undefined : (await wiring.openFlows()).describe(name)))
    .catch(() => undefined); // a flow file with an error is no reason not to show a task
}
