// What must hold when every task has ended.

import type { Flow } from "../../src/core/flow/flow.ts";
import { childTaskId } from "../../src/core/record/ids.ts";
import { readOrigin } from "../../src/core/record/origin.ts";
import { DEFAULT_LIMITS } from "../../src/core/limits.ts";
import { isTerminal } from "../../src/core/record/status.ts";
import { recover } from "../../src/engine/task/recover.ts";
import { recordOf, type SimDatabase, type StoredTask } from "./sim-database.ts";
import { createBulkFlow } from "../../src/engine/driving/bulk/bulk-flow.ts";
import { BULK_FLOW } from "../../src/core/api/bulk.ts";
import { simFlows } from "./sim-flows.ts";
import type { World } from "./world.ts";

/** What is broken, as sentences. `expected`: the output of each flow in a run that nobody disturbed. */
export function breachesAtEnd(
  { database, ledger }: World,
  expected: ReadonlyMap<string, string | undefined> | undefined,
): string[] {
  const all = [...simFlows(cannotAct), createBulkFlow(cannotAct)];
  const flows = new Map(all.map((flow) => [flow.name, flow]));
  return database.everyTask.flatMap((stored) => {
    const { task, steps, calls, inbox, consumed } = stored;
    const flow = flows.get(task.flow_name) as Flow;
    const broken: string[] = [];
    const say = (isBroken: boolean, what: string): void => {
      if (isBroken) broken.push(`Task ${task.id} (${task.flow_name}, ${task.status}): ${what}.`);
    };
    // a task that was cancelled before it began has nothing to replay, and one that was ended by force did not end
    const isBegun = (steps.size > 0 || task.status !== "CANCELLED") && task.left_undone === null;
    const replayed = isBegun ? recover(flow, recordOf(stored), DEFAULT_LIMITS.stepsPerTask) : undefined;
    if (replayed && replayed.kind !== "ready") say(true, replayed.reason);
    else if (replayed)
      say(!endsAlike(stored, replayed.program.end), `its replay ends with ${JSON.stringify(replayed.program.end)}`);
    for (const call of calls.values()) {
      if (ledger.inherited.has(call.task_step_id)) continue; // it was made for the other task
      const isMade =
        call.tool_name === "note" || task.flow_name === BULK_FLOW || ledger.effects.has(call.idempotency_key);
      say(
        call.status === "COMPLETED" && !isMade && !wasSettled(stored, call.task_step_id),
        `call ${call.id} is COMPLETED, but its tool was never called`,
      );
    }
    for (const step of steps.values()) {
      if (step.kind !== "child" || step.outcome_seq === null || ledger.inherited.has(step.id)) continue;
      const child = database.findEver(childTaskId(step.id));
      // one that failed may have been retried, and its parent does not hear of that any more
      const isRetried = [...(child?.steps.values() ?? [])].some(({ attempt_epoch }) => attempt_epoch > 0);
      const isSame = (child?.task.output_payload ?? null) === step.output_payload;
      say(
        !isSame && !(isRetried && step.status === "FAILED"),
        `step ${step.step_index} gives other output than its child`,
      );
    }
    const taken = inbox.filter((row) => row.kind === "signal" && consumed.has(row.seq)).length;
    const waited = [...steps.values()].filter(
      (step) => step.kind === "signal" && step.status === "COMPLETED" && !ledger.inherited.has(step.id),
    ).length;
    say(taken !== waited, `${taken} signals were consumed by ${waited} waits`);
    if (!isDisturbed(database, stored) && task.flow_name !== "shaky" && task.flow_name !== "sole") {
      say(task.status !== "COMPLETED", `nobody cancelled it, and nothing failed for good, but: ${task.error}`);
      const output = expected?.get(task.flow_name);
      say(output !== undefined && outputOf(stored) !== output, `it gave ${outputOf(stored)} instead of ${output}`);
    }
    return broken;
  });
}

/** As it is in every run: which execution of a tool a value came from does not count. */
export function outputOf({ task }: StoredTask): string | undefined {
  return task.output_payload?.replaceAll(/receipt-\d+/g, "receipt");
}

/** Whether it has expired, or a person decided the outcome: by a cancel, or by settling a doubt as a failure, here or in a child. */
function isDisturbed(database: SimDatabase, { task, steps, inbox }: StoredTask): boolean {
  if (task.cancel_reason !== null || task.cancelled_at !== null) return true;
  const from = database.findEver(readOrigin(task.origin)?.task_id ?? "");
  if (from && isDisturbed(database, from)) return true;
  if (inbox.some((row) => row.kind === "cancel" || (row.kind === "resolve" && row.error !== null))) return true;
  return [...steps.values()].some((step) => {
    const child = step.kind === "child" ? database.findEver(childTaskId(step.id)) : undefined;
    return child !== undefined && isDisturbed(database, child);
  });
}

function wasSettled({ inbox }: StoredTask, stepId: string): boolean {
  return inbox.some((row) => row.kind === "resolve" && row.step_id === stepId && row.payload !== null);
}

function endsAlike({ task }: StoredTask, end: { kind: string; output?: string; error?: string } | undefined): boolean {
  if (!isTerminal(task.status)) return true;
  if (task.status === "CANCELLED") return task.cancelled_after !== null;
  if (task.status === "COMPLETED") return end?.kind === "completed" && end.output === task.output_payload;
  return end?.kind === "failed" && end.error === task.error;
}

function cannotAct(): never {
  throw new Error("A replay calls no tool.");
}
