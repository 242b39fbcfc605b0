// Times and durations for people.

import type { Timestamp } from "../core/api/task.ts";
import { roughly } from "../core/times.ts";
import { showText } from "./cells.ts";

/** An older time is told by its day. */
const AGE_MS_MAX = 30 * 86_400_000;

/** `2026-11-23 03:39:25.130Z` */
export function showTime(timestamp: Timestamp): string {
  return showText(timestamp.replace("T", " "), 32);
}

/** `70 ms`, `1.5 s`, `12.0 min`, `3.2 h` */
export function describeMs(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${(ms / 60_000).toFixed(1)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

/**
 * How long ago it was, by this machine's clock: `3 min ago`. A time that is too old, or ahead because the clocks differ,
 * is shown as its day. A text that is not a time is shown unchanged.
 */
export function describeAge(timestamp: Timestamp, now: number): string {
  const ms = now - Date.parse(timestamp);
  if (Number.isNaN(ms)) return showText(timestamp, 32);
  if (ms > AGE_MS_MAX || ms < -60_000) return showText(timestamp.slice(0, 10), 10);
  return ms < 1000 ? "just now" : `${roughly(ms)} ago`;
}
