// `get-tasks --count`: how many tasks there are, as one number or by flow and state.

import { FILTER_NAMES } from "../core/api/filter-text.ts";
import type { TaskCounts } from "../core/api/task-counts.ts";
import type { TaskFilter } from "../core/api/task-filter.ts";
import type { Violation } from "../core/errors.ts";
import { showText } from "./cells.ts";
import type { Call } from "./command.ts";
import { withTaskonaut } from "./drive.ts";
import { listToJson, tell, toJson } from "./print.ts";
import { type Column, drawTable } from "./table.ts";
import { notOneOf, usageError } from "./usage.ts";

const COLUMNS = ["flow", "status"] as const;

type By = readonly (typeof COLUMNS)[number][];

/** Undefined: the command lists tasks. Throws usage. */
export function readCountBy({ flags }: Pick<Call, "flags">): By | undefined {
  const text = flags.get("by");
  if (!flags.has("count")) {
    if (text === undefined) return undefined;
    throw usageError([{ path: "--by", message: "means something with --count only" }]);
  }
  const meaningless = ["limit", "view"].filter((name) => flags.has(name));
  if (meaningless.length > 0) {
    throw usageError(meaningless.map((name) => ({ path: `--${name}`, message: "means nothing with --count" })));
  }
  const words = text === undefined ? [] : text.split(",").map((word) => word.trim());
  const wrong = words.find((word) => !COLUMNS.some((column) => column === word));
  if (wrong !== undefined) throw usageError([wrongBy(wrong)]);
  return COLUMNS.filter((column) => words.includes(column));
}

/** Whoever wants to divide by something else can count with its filter. */
function wrongBy(word: string): Violation {
  if (!FILTER_NAMES.includes(word)) return notOneOf([...COLUMNS, COLUMNS.join()], "--by", word);
  const message = `expected flow, status or flow,status, got ${JSON.stringify(word)}; --${word} counts only those that match it`;
  return { path: "--by", message };
}

interface Row {
  readonly flow_name?: string;
  readonly status?: string;
  readonly count: number;
}

/**
 * One number and a line break, or a table. A program gets `{"count": 5}`, with `"complete": false` if there are more; or a
 * list of such objects with flow and state.
 */
export function countTasks(call: Call, filter: TaskFilter, by: By): Promise<number> {
  return withTaskonaut(call, async (taskonaut) => {
    const counts = await taskonaut.countTasks({ filter });
    const { io, look } = call;
    const rows = sumUp(counts, by);
    if (look.style !== "readable") {
      const text = by.length === 0 ? `${toJson(countOf(counts), look)}\n` : listToJson(rows, look);
      await io.stdout.write(text);
    } else if (by.length === 0) await io.stdout.write(`${counts.total}\n`);
    else if (rows.length > 0) await io.stdout.write(`${drawTable(columnsOf(by), rows, look).join("\n")}\n`);
    else await tell(call, ["No tasks."]);
    if (!counts.complete) await tell(call, ["There are more: to search for all of them takes too long."]);
    return 0;
  });
}

function countOf({ total, complete }: TaskCounts): object {
  return { count: total, ...(!complete && { complete }) };
}

function sumUp({ counts }: TaskCounts, by: By): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const { flow_name, status, count } of counts) {
    const of = { ...(by.includes("flow") && { flow_name }), ...(by.includes("status") && { status }) };
    const key = JSON.stringify(of);
    rows.set(key, { ...of, count: (rows.get(key)?.count ?? 0) + count });
  }
  return [...rows.values()];
}

function columnsOf(by: By): readonly Column<Row>[] {
  const flow: Column<Row> = {
    head: "FLOW",
    least: 8,
    show: ({ flow_name = "" }, width) => ({ text: showText(flow_name, width) }),
  };
  const status: Column<Row> = {
    head: "STATUS",
    show: ({ status: text = "" }, width) => ({ text: showText(text, width) }),
  };
  return [
    ...(by.includes("flow") ? [flow] : []),
    ...(by.includes("status") ? [status] : []),
    { head: "TASKS", right: true, show: ({ count }) => ({ text: count.toLocaleString("en") }) },
  ];
}
