// Bringing a task to its end, whatever it waits for and however often its engines die.

import type { Task } from "../../src/core/api/task.ts";
import type { Taskonaut } from "../../src/core/api/taskonaut.ts";
import { childTaskId } from "../../src/core/record/ids.ts";
import { isStepOpen, isTerminal } from "../../src/core/record/status.ts";
import type { TaskRecord } from "../../src/core/record/record.ts";
import type { World } from "./mortal-store.ts";

/** What the world outside does for a task that only waits. */
export type Script = (task: Task, engine: Taskonaut, world: World) => Promise<unknown>;

const ROUNDS_MAX = 400;

/** Runs the task with one engine, and with a new one after each death. Children that a death left behind come after. */
export async function runToEnd(world: World, id: string, script: Script = answer): Promise<Task> {
  const ended = await repeat(world, () => {
    let mortal = world.engine();
    return async () => {
      if (mortal.isDead) mortal = world.engine();
      try {
        const task = await mortal.engine.runTask(id);
        if (!isTerminal(task.status)) await script(task, mortal.engine, world);
        return task;
      } catch (error) {
        if (!mortal.isDead) throw error;
        return undefined;
      }
    };
  });
  await runLeftChildren(world, ended, script);
  return ended;
}

/** Runs the task with an engine of its own for each transition, so that each starts with a replay. */
export async function advanceToEnd(world: World, id: string, script: Script = answer): Promise<Task> {
  const ended = await repeat(world, () => async () => {
    const before = await world.read(id);
    const mortal = world.engine();
    const task = await mortal.engine.advanceTask(id);
    const after = await world.read(id);
    // its tools that go on die with it; what it recorded stands
    await mortal.kill();
    const hasMoved = before?.task.version !== after?.task.version;
    if (!isTerminal(task.status) && !hasMoved) {
      const other = world.engine();
      await script(task, other.engine, world);
      await other.kill();
    }
    return task;
  });
  await runLeftChildren(world, ended, script);
  return ended;
}

/** What a worker does for children that died on their way to the end. */
async function runLeftChildren(world: World, task: Task, script: Script): Promise<void> {
  for (const step of task.steps) {
    const child = await world.read(childTaskId(step.id));
    if (child && !isTerminal(child.task.status)) await runToEnd(world, child.task.id, script);
  }
}

async function repeat(world: World, begin: () => () => Promise<Task | undefined>): Promise<Task> {
  const next = begin();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const task = await next();
    if (task && isTerminal(task.status)) return task;
  }
  throw new Error(`The task did not end in ${ROUNDS_MAX} rounds (${world.writes} writes).`);
}

/** Signals come once for each wait that has no timeout, children go the same way; then time passes to the next moment. */
export const answer: Script = async (task, engine, world) => {
  let isAnswered = false;
  for (const { kind, name, until, task_id } of task.waiting_for) {
    if (kind === "signal" && name !== null && until === null) {
      const wait = task.steps.find((step) => isStepOpen(step.status) && step.step_name === name);
      // by its path: its index depends on which members of a group came to their ends first
      const record = await world.read(task.id);
      const key = `wait ${record?.steps.find((step) => step.id === wait?.id)?.path}`;
      await engine.signalTask(task.id, { name, payload: { from: key }, idempotencyKey: key });
      isAnswered = true;
    } else if (kind === "child" && task_id !== null) {
      const child = await engine.runTask(task_id);
      if (!isTerminal(child.status)) await answer(child, engine, world);
      isAnswered = true;
    }
  }
  const [next] = task.waiting_for.flatMap(({ until }) => until ?? []).toSorted();
  if (!isAnswered && next !== undefined) skipTo(world, next);
};

/** What waits until then is due. */
export function skipTo(world: World, until: string): void {
  world.skippedMs += Math.max(0, Date.parse(until) - world.now() + 1);
}

/** The rows of a task and of its children as they must be in every run: without times, ids and versions. */
export async function rowsOf(world: World, id: string): Promise<unknown> {
  const record = await world.read(id);
  if (!record) return null;
  const { task, steps, calls } = record;
  const stepOf = new Map(steps.map((step) => [step.id, step]));
  const inbox = await world.store.readInbox(id, {
    names: steps.flatMap(({ kind, target }) => (kind === "signal" ? (target ?? []) : [])),
    after: 0,
  });
  const rows = {
    task: {
      flow: task.flow_name,
      status: task.status,
      current_step: task.current_step,
      observed: task.observed_count,
      output: task.output_payload,
      error: task.error,
      cancelled_after: task.cancelled_after,
      lease_owner: task.lease_owner,
      parked: task.parked_reason,
      due_at: task.due_at,
    },
    steps: steps.map((step) => ({
      index: step.step_index,
      path: step.path,
      kind: step.kind,
      name: step.step_name,
      target: step.target,
      status: step.status,
      input: step.input_payload,
      output: step.output_payload,
      error: step.error,
      outcome: step.outcome_seq,
      isObserved: step.observed_at !== null,
      epoch: step.attempt_epoch,
    })),
    calls: calls
      .map((call) => ({
        step: stepOf.get(call.task_step_id)?.step_index ?? 0,
        tool: call.tool_name,
        status: call.status,
        retry_count: call.retry_count,
        response: call.response_payload,
        error: call.error,
        epoch: call.attempt_epoch,
      }))
      .toSorted((a, b) => a.step - b.step),
    left: inbox.rows.filter((row) => row.kind === "signal").map((row) => [row.kind, row.name, row.payload]),
    children: await Promise.all(
      steps.filter((step) => step.kind === "child").map((step) => rowsOf(world, childTaskId(step.id))),
    ),
  };
  return JSON.parse(JSON.stringify(rows).replaceAll(id, "<task>")) as unknown;
}

/** One call for each step that has one, keys that belong to their step, outcomes numbered without a gap. */
export function breaches({ task, steps, calls }: TaskRecord): string[] {
  const found: string[] = [];
  const say = (isBroken: boolean, what: string): void => {
    if (isBroken) found.push(what);
  };
  const numbers = steps.flatMap((step) => step.outcome_seq ?? []).toSorted((a, b) => a - b);
  say(
    numbers.some((number, index) => number !== index + 1),
    `outcomes are numbered ${numbers.join()}`,
  );
  say(new Set(calls.map((call) => call.task_step_id)).size !== calls.length, "a step has two calls");
  say(new Set(steps.map((step) => step.path)).size !== steps.length, "two steps have one path");
  say(
    steps.some((step, index) => step.step_index !== index + 1),
    "steps are not numbered 1, 2, 3 …",
  );
  say(task.lease_owner !== null, "somebody still holds the task");
  say(
    isTerminal(task.status) && steps.some((step) => isStepOpen(step.status)),
    "a task that has ended has an open step",
  );
  say(
    isTerminal(task.status) && calls.some((call) => call.status === "RUNNING"),
    "a task that has ended has a running call",
  );
  const seen = steps.filter((step) => step.observed_at !== null);
  seen.sort((a, b) => (a.outcome_seq ?? 0) - (b.outcome_seq ?? 0));
  say(
    seen.some((step, index) => index > 0 && (step.observed_at ?? 0) < (seen[index - 1]?.observed_at ?? 0)),
    "now() goes back",
  );
  return found;
}
