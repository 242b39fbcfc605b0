// The spans of a task as a tree, each below the one that it is part of.

import type { Span } from "../core/record/trace.ts";
import { shorten, showText } from "./cells.ts";
import type { Look } from "./look.ts";
import { type Column, drawTable } from "./table.ts";
import { describeMs } from "./times.ts";

interface Row {
  /** 0: nothing is above it. */
  readonly depth: number;
  readonly span: Span;
  /** From the first of them on, in milliseconds. */
  readonly after: number;
  readonly took: number;
}

export function showTrace(spans: readonly Span[], look: Pick<Look, "columns" | "paint">): string {
  const [first] = spans;
  if (!first) return "Nothing of the task has ended: there is no span yet.\n";
  const rows = rowsOf(spans);
  return `trace ${showText(first.traceId, 32)}\n${drawTable(COLUMNS, rows, look).join("\n")}\n`;
}

const COLUMNS: readonly Column<Row>[] = [
  {
    head: "SPAN",
    least: 12,
    turn: 0,
    show: ({ depth, span }, width) => ({ text: shorten(`${"  ".repeat(depth)}${showText(span.name, width)}`, width) }),
  },
  { head: "AFTER", right: true, goes: 2, show: ({ after }) => ({ text: describeMs(after) }) },
  { head: "TOOK", right: true, goes: 1, show: ({ took }) => ({ text: describeMs(took) }) },
  {
    head: "ERROR",
    least: 16,
    goes: 3,
    show: ({ span: { status } }, width) => ({ text: showText(status.message ?? "", width), color: "red" }),
  },
];

/** A span whose parent is missing begins a tree: a task's own span comes only with its end, and its parent may be a caller's. */
function rowsOf(spans: readonly Span[]): readonly Row[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const above = ({ parentSpanId }: Span): string => (known.has(parentSpanId ?? "") ? (parentSpanId ?? "") : "");
  const below = Map.groupBy(spans, above);
  const begin = spans.reduce((least, span) => Math.min(least, startOf(span)), Infinity);
  const rows: Row[] = [];
  const add = (span: Span, depth: number): void => {
    const start = startOf(span);
    rows.push({ depth, span, after: start - begin, took: msOf(span.endTimeUnixNano) - start });
    for (const part of below.get(span.spanId) ?? []) add(part, depth + 1);
  };
  for (const root of below.get("") ?? []) add(root, 0);
  return rows;
}

function startOf({ startTimeUnixNano }: Span): number {
  return msOf(startTimeUnixNano);
}

function msOf(nanoseconds: string): number {
  return Number(nanoseconds.slice(0, -6));
}
