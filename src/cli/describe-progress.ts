import type { Progress } from "../core/record/progress.ts";

/** `1,200 of 5,000 (24 %), page 3`; empty where there is none. */
export function describeProgress(progress: Progress | null | undefined): string {
  if (!progress) return "";
  const { done, total, message } = progress;
  const parts = [done === undefined ? "" : describeCount(done, total), message ?? ""];
  return parts.filter((part) => part !== "").join(", ");
}

function describeCount(done: number, total: number | undefined): string {
  if (total === undefined) return describeNumber(done);
  const percent = total > 0 ? ` (${Math.floor((done / total) * 100)} %)` : "";
  return `${describeNumber(done)} of ${describeNumber(total)}${percent}`;
}

function describeNumber(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 2 });
}
