// What a flow or a tool says of how much of it may run: at once, of one key at once, and within a time.

import { RATE_MS_MAX } from "../limits.ts";
import { TaskonautError } from "../errors.ts";
import { type Faults, isObject, type Options, tellGiven } from "./definition.ts";
import { type Duration, toMs } from "../record/duration.ts";
import { tellWrongDuration } from "./duration.ts";
import { isName, tellWrongName } from "./names.ts";

/** No more than `count` begin within any stretch of time as long as `per`. */
export interface RateOptions {
  readonly count: number;
  /** `"1m"`, or milliseconds; 1 ms to a year. */
  readonly per: Duration;
}

/** As a definition says it; what is left out is not limited. */
export interface LimitOptions<Input = unknown> {
  /** How many run at once, over all workers: 1 or more. */
  readonly running?: number;
  /** What counts together: a text or a number of the input. Keys take turns. It is computed once, and recorded. */
  key?(input: Input): string | number;
  /** How many of one key run at once: 1 or more. It needs a `key`. */
  readonly runningPerKey?: number;
  readonly rate?: RateOptions;
}

/** Of a tool. */
export interface ToolLimitOptions<Input = unknown> extends LimitOptions<Input> {
  /** Tools that give the same name share one limit. Default: the tool's name. */
  readonly name?: string;
}

/** The numbers of a limit; null: not limited. */
interface LimitValues {
  readonly running: number | null;
  readonly runningPerKey: number | null;
  readonly rate: { readonly count: number; readonly perMs: number } | null;
}

export interface OwnLimits extends LimitValues {
  /** Undefined: all count together. Of code of the user's file: `keyOf` calls it. */
  readonly key: ((input: unknown) => unknown) | undefined;
}

const OPTIONS: Options = {
  running: ["concurrency", "max", "atOnce", "total"],
  key: ["by", "keyOf", "partition"],
  runningPerKey: ["perKey", "concurrencyPerKey"],
  rate: ["throttle", "rateLimit"],
};

const TOOL_OPTIONS: Options = { name: ["id", "limit"], ...OPTIONS };

const RATE_OPTIONS: Options = { count: ["limit", "max", "tasks", "calls"], per: ["period", "window", "interval"] };

/** No count is larger: what is written there is a 32-bit integer. */
const LIMIT_MAX = 1_000_000_000;

/** Undefined where none is given; with faults, what it gives is not used. `of`: a tool's may have a name. */
export function readLimits(given: unknown, faults: Faults, of: "flow" | "tool"): OwnLimits | undefined {
  if (given === undefined) return undefined;
  if (!isObject(given)) {
    faults.add("limits", `limits must be an object such as { running: 5 }, got ${tellGiven(given)}`);
    return undefined;
  }
  faults.addUnknownKeys(given, "limits", of === "tool" ? TOOL_OPTIONS : OPTIONS, ["limits"]);
  const { running, key, runningPerKey, rate, name } = given;
  addWrongCount(["limits", "running"], running, faults);
  addWrongCount(["limits", "runningPerKey"], runningPerKey, faults);
  if (key !== undefined && typeof key !== "function") {
    faults.add(
      ["limits", "key"],
      `limits.key must be a function such as (input) => input.tenant, got ${tellGiven(key)}`,
    );
  }
  if (runningPerKey !== undefined && key === undefined) {
    faults.add(["limits", "runningPerKey"], "limits.runningPerKey needs limits.key: (input) => input.tenant");
  }
  if (of === "tool" && name !== undefined && !isName(name))
    faults.add(["limits", "name"], tellWrongName("limit", name));
  if (running === undefined && key === undefined && rate === undefined && runningPerKey === undefined)
    faults.add("limits", "limits limits nothing; write { running: 5 }");
  return {
    running: (running as number | undefined) ?? null,
    runningPerKey: (runningPerKey as number | undefined) ?? null,
    rate: readRate(rate, faults),
    // called as a method, should it ask for its `this`
    key: key === undefined ? undefined : (input) => (given as { key(input: unknown): unknown }).key(input),
  };
}

function readRate(given: unknown, faults: Faults): LimitValues["rate"] {
  if (given === undefined) return null;
  if (!isObject(given)) {
    faults.add(
      ["limits", "rate"],
      `limits.rate must be an object such as { count: 100, per: "1m" }, got ${tellGiven(given)}`,
    );
    return null;
  }
  faults.addUnknownKeys(given, "limits.rate", RATE_OPTIONS, ["limits", "rate"]);
  const { count, per } = given;
  if (count === undefined) faults.add(["limits", "rate"], "limits.rate.count is missing; say how many begin");
  addWrongCount(["limits", "rate", "count"], count, faults);
  const perMs = toMs(per);
  if (per === undefined) faults.add(["limits", "rate"], 'limits.rate.per is missing; write per: "1m"');
  else if (perMs === undefined) faults.add(["limits", "rate", "per"], `limits.rate.per: ${tellWrongDuration(per)}`);
  else if (perMs < 1 || perMs > RATE_MS_MAX) {
    faults.add(["limits", "rate", "per"], `limits.rate.per must be 1 ms to a year, got ${tellGiven(per)}`);
  }
  return { count: count as number, perMs: perMs ?? 1 };
}

function addWrongCount(path: readonly string[], count: unknown, faults: Faults): void {
  if (count === undefined || (Number.isSafeInteger(count) && (count as number) >= 1 && (count as number) <= LIMIT_MAX))
    return;
  faults.add(path, `${path.join(".")} must be an integer, 1 or more, got ${tellGiven(count)}`);
}

/** In characters. */
export const KEY_MAX = 256;

/** The key that a user's function gave, as text; undefined: it is none. */
export function readKey(given: unknown): string | undefined {
  const text = typeof given === "number" ? String(given) : given;
  const isKey = typeof text === "string" && text.length >= 1 && text.length <= KEY_MAX;
  return isKey && text.isWellFormed() && !text.includes("\0") ? text : undefined;
}

/** The key of an input, as it is recorded. Throws flow_invalid, and what the user's function throws. */
export function keyOf(owner: string, { key }: OwnLimits, input: unknown): string | null {
  if (!key) return null;
  const given = key(input);
  const text = readKey(given);
  if (text !== undefined) return text;
  throw new TaskonautError(
    "flow_invalid",
    `${owner}: limits.key must give a text of 1 to ${KEY_MAX} characters, or a number, for each input, and gave ${tellGiven(given)} for this one.`,
  );
}
