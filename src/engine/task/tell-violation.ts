// Explains why a program can no longer be used. For a flow that was aborted while computing, it finds the place: it
// runs the flow again for a moment and samples it.

import { profile } from "bun:jsc";
import { readFileSync } from "node:fs";
import { dirname, isAbsolute } from "node:path";
import { type BoundFlow, FlowStuckError, setBound } from "../../core/flow/flow-bound.ts";
import type { Program } from "../../core/flow/program.ts";
import { boundOf } from "../process/flow-bound.ts";
import { outcomeOf, type Recorded } from "./replay.ts";

/** Long enough to reach the place of the computation, short enough for everything else to wait. */
const LOOK_MS = 250;

/** The time between two samples, in microseconds. */
const LOOK_EVERY_US = 1000;

/** The profiler's word for an unknown place. */
const NO_LINE = 2 ** 32 - 1;

/** The files of this program, in the binary and beside this file. */
const OURS = `${dirname(dirname(import.meta.dir))}/`;

/**
 * Explains the violation of a program. `recorded`: everything that the program was told, and may be about to be told.
 */
export function tellViolation(program: Program, recorded: Recorded): string {
  const { violation, flow } = program;
  if (!(violation instanceof FlowStuckError)) return violation?.message ?? "";
  return `${violation.message} It was at ${placeWhere(() => runAgain(program, recorded), flow) ?? flow.file}.`;
}

/**
 * `<file>:<line>`, with the name of the function: the place where `piece`, which computes without end, was seen most
 * often.
 */
export function placeWhere(piece: () => void, { name, file }: BoundFlow): string | undefined {
  const counts = new Map<string, number>();
  for (const frames of watch(piece)) {
    const own = frames.filter(isUsers);
    const frame = own.find(({ sourceURL }) => sourceURL === file) ?? own[0];
    if (!frame) continue;
    const place = `${frame.sourceURL}:${lineOf(frame, name) ?? "?"}${frame.name ? ` (${frame.name})` : ""}`;
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
}

/** Files of this program have relative paths in the binary. */
function isUsers({ sourceURL }: Frame): boolean {
  return sourceURL !== undefined && isAbsolute(sourceURL) && !sourceURL.startsWith(OURS);
}

/** The runtime does not know the line of fully optimized code: then the line of its function is looked up. */
function lineOf({ line, name = "", sourceURL = "" }: Frame, flow: string): number | undefined {
  if (line < NO_LINE) return line;
  const text = readText(sourceURL);
  const word = RegExp.escape(name);
  const isNamed = new RegExp(`\\bfunction\\s*\\*?\\s*${word}\\b|\\b(?:const|let|var)\\s+${word}\\s*=`);
  const start = text.search(isNamed);
  // a method: the one of this flow
  const from = Math.max(0, text.search(new RegExp(`["'\`]${RegExp.escape(flow)}["'\`]`)));
  const offset = start >= 0 ? start : from + text.slice(from).search(new RegExp(`\\b${word || "run|plan"}\\s*[(:=]`));
  return text === "" ? undefined : text.slice(0, offset).split("\n").length;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

interface Frame {
  readonly name?: string;
  readonly sourceURL?: string;
  readonly line: number;
}

/** The stacks of each sample, innermost frame first. */
function watch(piece: () => void): readonly (readonly Frame[])[] {
  const former = setBound(boundOf(LOOK_MS));
  try {
    const seen = profile(() => {
      try {
        piece();
      } catch {
        // it was aborted again
      }
    }, LOOK_EVERY_US);
    const { traces } = seen.stackTraces as unknown as { readonly traces: readonly { readonly frames: Frame[] }[] };
    return traces.map(({ frames }) => frames);
  } finally {
    setBound(former);
  }
}

/** Everything that it was told before; then what it may have been told when it was aborted. */
function runAgain(program: Program, { task, steps }: Recorded): void {
  const again = program.again();
  again.start();
  const told = steps.filter((step) => step.outcome_seq !== null);
  told.sort((a, b) => (a.outcome_seq ?? 0) - (b.outcome_seq ?? 0));
  for (const [count, step] of told.entries()) {
    if (again.violation) return;
    if (task.cancelled_after === count) again.cancel(task.cancelled_at ?? 0);
    again.observe(step.path, outcomeOf(step), step.observed_at ?? 0);
  }
  if (!again.violation) again.cancel(task.cancelled_at ?? 0);
}
