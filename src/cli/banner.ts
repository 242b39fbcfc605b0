// What a person sees when `run-app` or `work` has started: its address, what it works on, and how to stop it.

import { createPaint, wantsColor } from "../log/paint.ts";
import { alignRows, type Cell, wrapText } from "./cells.ts";
import type { Call } from "./command.ts";
import type { StoreFacts, WorkerFacts } from "./wiring.ts";

export interface BannerFacts extends StoreFacts {
  /** Of the server; undefined: there is none. */
  readonly url: string | undefined;
  readonly worker: WorkerFacts | undefined;
}

/** If there are more flows, the command `flows` lists them all. */
const FLOWS_SHOWN_MAX = 12;

/** `worker  `, the widest name. */
const NAME_COLUMNS = 8;
const TEXT_COLUMNS_MIN = 16;

/**
 * Writes the banner to the terminal. False: no person reads the log, or only warnings are logged. Then the log says that
 * the program has started.
 */
export async function showBanner({ io, env, logStyle, wiring, hints }: Call, facts: BannerFacts): Promise<boolean> {
  const { stderr } = io;
  if (!stderr.isTTY || logStyle !== "human" || !wiring.log.info) return false;
  const columns = Math.max(stderr.columns - NAME_COLUMNS - 1, TEXT_COLUMNS_MIN);
  const next = facts.worker ? [] : hints.give("work").flatMap(({ command }): Row[] => [["next", command ?? ""]]);
  const rows = [...rowsOf(facts), ...next].flatMap(([name, text]) =>
    // people copy commands, addresses and paths: they stay whole, however long they are
    (WHOLE.has(name) ? [text] : wrapText(text, columns)).map((line, index): Cell[] => [
      { text: index === 0 ? name : "", color: "dim" },
      { text: line },
    ]),
  );
  const paint = createPaint(wantsColor(stderr.isTTY, env));
  const title = facts.url === undefined ? "Waiting for tasks" : `Listening on ${facts.url}`;
  const lines = [paint("bold", title), ...alignRows(rows, paint), paint("dim", "Ctrl-C stops it.")];
  await stderr.write(`${lines.join("\n")}\n\n`);
  return true;
}

const WHOLE: ReadonlySet<string> = new Set(["look", "next", "store"]);

type Row = [name: string, text: string];

function rowsOf({ url, location, flows, worker }: BannerFacts): Row[] {
  const shown = flows.slice(0, FLOWS_SHOWN_MAX).join(", ");
  const more = flows.length - FLOWS_SHOWN_MAX;
  return [
    ...(url === undefined ? [] : [["look", `${url}/ui`] satisfies Row]),
    ["store", location],
    ["flows", more > 0 ? `${shown} and ${more} more` : shown],
    [
      "worker",
      worker ? `${worker.id} (up to ${worker.concurrency} tasks at once)` : "none: what is queued waits for one",
    ],
  ];
}
