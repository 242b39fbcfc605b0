// Time, chance and talk for flows: deterministic, so they are the same on replay. They make no rows.

import { currentScope, outsideWatch, type FlowScope } from "./determinism.ts";
import { TaskonautError } from "../errors.ts";
import { drawUuid } from "../record/ids.ts";

/** When the flow's last observation was recorded; before the first, when the task was created. */
export function now(): Date {
  return new Date(scopeFor("now()").now);
}

/** 0 up to, not including, 1. Drawn from the task's id and the place in the flow. */
export function random(): number {
  return toFraction(draw(scopeFor("random()")));
}

/** As `random()`, of a row of its own: a package that draws, or does not, changes nothing of what the flow draws. */
export function randomForPackages(): number | undefined {
  const scope = currentScope();
  return scope && toFraction(draw(scope, `${scope.path}/packages`));
}

/** A UUID (version 5), drawn from the task's id and the place in the flow. */
export function uuid(): string {
  return draw(scopeFor("uuid()"));
}

/** A line at info in taskonaut's log, with the task's id: once, and not again on replay. */
export function log(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
  const scope = scopeFor("log()");
  outsideWatch(() => {
    scope.log?.(message, { task_id: scope.taskId, ...fields });
  });
}

function draw({ taskId, path, draws }: FlowScope, row = path): string {
  const number = draws.get(row) ?? 0;
  draws.set(row, number + 1);
  return drawUuid(taskId, row, number);
}

/** 48 bits of a name-based UUID. */
function toFraction(id: string): number {
  return Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16) / 2 ** 48;
}

function scopeFor(call: string): FlowScope {
  const scope = currentScope();
  if (scope) return scope;
  throw new TaskonautError(
    "flow_invalid",
    `${call} belongs in a flow: into run or plan, not beside them. A tool uses the real thing, and its context (ctx) to log.`,
  );
}
