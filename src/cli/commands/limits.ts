import { throwIfDamaged } from "../throw-if-damaged.ts";
import { describeRate, type Limit, type RateNumbers, type SetLimit } from "../../core/api/limits.ts";
import type { Taskonaut } from "../../core/api/taskonaut.ts";
import { toMs } from "../../core/record/duration.ts";
import { showText } from "../cells.ts";
import type { Call, Command } from "../command.ts";
import { withTaskonaut } from "../drive.ts";
import { listToJson, tell } from "../print.ts";
import { REASON, whoAmI } from "../reason.ts";
import { type Column, drawTable } from "../table.ts";
import { describeAhead } from "../../core/times.ts";
import { describeAge } from "../times.ts";
import { notOneOf, usageError } from "../usage.ts";

const ACTIONS = ["set", "reset"] as const;

const SETTINGS = ["running", "per-key", "rate", "reason"] as const;

export const limits: Command = {
  name: "limits",
  summary: "List the limits of flows and tools with their use, or set one while it is at work",
  about:
    "A limit is what a flow or a tool says of how many run at once, of one key at once, and begin within a time. What is set here counts in its place, at once and for all workers, until it is reset.",
  args: [
    { name: "set|reset", required: false },
    { name: "name", required: false },
  ],
  options: [
    { name: "running", value: "n", summary: "With set: so many at once; none: any number; code: as the code says" },
    { name: "per-key", value: "n", summary: "With set: so many of one key at once; or none, or code" },
    { name: "rate", value: "n/time", summary: "With set: so many begin within the time, as 100/1m; or none, or code" },
    { ...REASON, summary: "With set and reset: why, for others and for the audit log" },
    { name: "kind", value: "kind", summary: "flow or tool, where both have a limit of the name" },
  ],
  takesFields: false,
  needs: "tasks",
  readsOnly: true,
  logLevel: "warn",
  examples: [
    "limits",
    "# while the other side is in trouble",
    'limits set openai --rate 20/1m --reason "their incident"',
    "limits reset openai",
  ],

  run: (call) => {
    const [action, name] = call.args;
    const given = SETTINGS.filter((option) => call.flags.has(option));
    if (action === undefined) {
      if (given.length > 0 || call.flags.has("kind")) throw refused(`--${given[0] ?? "kind"} is for limits set`);
      return withTaskonaut(call, (taskonaut) => list(call, taskonaut));
    }
    if (action !== "set" && action !== "reset") {
      throw usageError([notOneOf(ACTIONS, "<action>", action)]);
    }
    if (name === undefined) throw refused(`limits ${action} needs the name of a limit`);
    const kind = readKind(call.flags.get("kind"));
    if (action === "reset") {
      const stray = given.find((option) => option !== "reason");
      if (stray !== undefined) throw refused(`--${stray} means nothing to limits reset: leave it out`);
      return withTaskonaut(call, async (taskonaut) => show(call, await taskonaut.limits.reset(name, kind)));
    }
    const change = readChange(call, kind);
    return withTaskonaut(call, async (taskonaut) => show(call, await taskonaut.limits.set(name, change)));
  },
};

async function list(call: Call, taskonaut: Pick<Taskonaut, "limits">): Promise<number> {
  const { io, look } = call;
  const all = await taskonaut.limits.list();
  if (look.style !== "readable") await io.stdout.write(listToJson(all, look));
  else if (all.length > 0) await io.stdout.write(showLimits(all, look));
  else
    await tell(call, [
      "No limits. A flow's limit appears when a worker has the flow, a tool's when a step has called the tool.",
    ]);
  throwIfDamaged("limits", all);
  return 0;
}

async function show(call: Call, limit: Limit): Promise<number> {
  const { io, look } = call;
  await io.stdout.write(look.style === "readable" ? showLimits([limit], look) : `${JSON.stringify(limit)}\n`);
  return 0;
}

function readChange({ flags }: Call, kind: Limit["kind"] | undefined): SetLimit {
  const running = readCount("running", flags.get("running"));
  const perKey = readCount("per-key", flags.get("per-key"));
  const rate = readRate(flags.get("rate"));
  if (running === undefined && perKey === undefined && rate === undefined)
    throw refused("limits set needs --running, --per-key or --rate");
  const reason = flags.get("reason");
  return {
    ...(kind && { kind }),
    ...(running !== undefined && { running }),
    ...(perKey !== undefined && { running_per_key: perKey }),
    ...(rate !== undefined && { rate }),
    ...(reason !== undefined && { reason }),
    by: whoAmI(),
  };
}

function readKind(text: string | undefined): Limit["kind"] | undefined {
  if (text === undefined || text === "flow" || text === "tool") return text;
  throw usageError([notOneOf(["flow", "tool"], "--kind", text)]);
}

function readCount(option: string, text: string | undefined): number | "none" | null | undefined {
  if (text === undefined || text === "none") return text;
  if (text === "code") return null;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw refused(`--${option}: expected a number, none or code, got ${JSON.stringify(text)}`);
}

function readRate(text: string | undefined): RateNumbers | "none" | null | undefined {
  if (text === undefined || text === "none") return text;
  if (text === "code") return null;
  const [, count, per] = /^([1-9]\d{0,8})\/(.+)$/.exec(text) ?? [];
  const ms = toMs(per);
  if (count !== undefined && ms !== undefined && ms >= 1) return { count: Number(count), per_ms: ms };
  throw refused(`--rate: expected a rate such as 100/1m, none or code, got ${JSON.stringify(text)}`);
}

function showLimits(all: readonly Limit[], look: Call["look"]): string {
  return `${drawTable(columnsOf(look.now()), all, look).join("\n")}\n`;
}

function columnsOf(now: number): readonly Column<Limit>[] {
  return [
    { head: "LIMIT", least: 8, most: 40, show: ({ name }, width) => ({ text: showText(name, width), color: "bold" }) },
    { head: "OF", goes: 4, show: ({ kind }) => ({ text: showText(kind, 6) }) },
    { head: "RUNNING", right: true, show: ({ running, max }) => ({ text: ofMax(running, max.running) }) },
    { head: "PER KEY", right: true, goes: 3, show: ({ max }) => ({ text: numberOf(max.running_per_key) }) },
    { head: "RATE", goes: 2, show: (limit) => ({ text: describeUse(limit, now) }) },
    {
      head: "WAITING",
      right: true,
      show: ({ waiting }) => (waiting > 0 ? { text: numberOf(waiting), color: "yellow" } : { text: "0" }),
    },
    {
      head: "SET",
      goes: 1,
      least: 8,
      show: ({ set }, width) => ({ text: describeSet(set, now, width), color: "dim" }),
    },
  ];
}

function numberOf(number: number | null): string {
  return number === null ? "" : number.toLocaleString("en-US");
}

function ofMax(number: number, max: number | null): string {
  return max === null ? numberOf(number) : `${numberOf(number)}/${numberOf(max)}`;
}

/** `100 in 1m, 12 left`, or when there is more. */
function describeUse({ max, rate_left: left, rate_next_at: nextAt }: Limit, now: number): string {
  if (max.rate === null) return "";
  const next = nextAt === null ? `${left} left` : `more ${describeAhead(nextAt, now)}`;
  return `${describeRate(max.rate)}, ${next}`;
}

function describeSet(set: Limit["set"], now: number, width: number): string {
  if (set === null) return "";
  const { by, at, reason } = set;
  return showText([`by ${by}`, describeAge(at, now), reason ?? ""].filter(Boolean).join(", "), width);
}

function refused(message: string): Error {
  return usageError([{ path: "", message }]);
}
