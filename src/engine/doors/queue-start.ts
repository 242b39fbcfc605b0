// The due time and the priority of a new task.

import { TaskonautError } from "../../core/errors.ts";
import { EXPIRES_MS_MIN, PRIORITY_MAX } from "../../core/limits.ts";
import type { CreateTask } from "../../core/api/create-task.ts";
import type { StoreClock } from "../process/store-clock.ts";

/** 9999-12-31: later times are none that JSON and both databases carry. */
const TIME_MAX = 253_402_300_799_999;

/** Throws input_invalid. */
export function checkPriority(priority: number | undefined): void {
  if (priority === undefined || (Number.isInteger(priority) && priority >= 0 && priority <= PRIORITY_MAX)) return;
  throw invalid("priority", `must be an integer from 0 (first) to ${PRIORITY_MAX} (last), got ${priority}`);
}

/** Throws input_invalid. */
export function checkExpiresIn(ms: number): void {
  if (Number.isSafeInteger(ms) && ms >= EXPIRES_MS_MIN && ms <= EXPIRES_MS_MAX) return;
  throw invalid("expires_in", `must be a second to a hundred years, in milliseconds, got ${ms}`);
}

/** A hundred years. */
const EXPIRES_MS_MAX = 100 * 365 * 86_400_000;

/** In store time; null: the task is not queued. Throws input_invalid. */
export function dueAtOf(start: CreateTask["start"], clock: StoreClock): number | null | Promise<number> {
  if (start === undefined) return null;
  if (start === "now") return clock.recent();
  if (Number.isSafeInteger(start) && start >= 0 && start <= TIME_MAX) return start;
  throw invalid("start", `must be "now" or a time up to the year 9999, got ${start}`);
}

function invalid(path: string, message: string): TaskonautError {
  return new TaskonautError("input_invalid", `${path} ${message}.`, { errors: [{ path, message }] });
}
