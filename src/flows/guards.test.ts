import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeterminismError, underWatch, type Watch } from "../core/flow/determinism.ts";
import type { Flow } from "../core/flow/flow.ts";
import { createProgram } from "../core/flow/create-program.ts";
import { loadFlows } from "./loader.ts";
import { GUARDED, PASSES } from "../../test/support/guarded-calls.ts";

const HEAD = `
import { Database } from "bun:sqlite";
import { execSync } from "child_process";
import nodeCrypto from "node:crypto";
import * as dns from "node:dns";
import fsDefault, * as fs from "node:fs";
import { readFileSync } from "node:fs";
import * as fsPromises from "fs/promises";
import * as processModule from "node:process";
import { hrtime } from "process";
import { env as importedEnv, argv as importedArgv } from "node:process";
import * as http from "node:http";
import * as https from "node:https";
import { createRequire as makeRequire } from "node:module";
import { fetch as fetchOfBun } from "bun";
import * as undici from "undici";
import * as net from "node:net";
import * as os from "os";
import { hostname } from "node:os";
import * as path from "node:path";
import * as buffer from "node:buffer";
import * as tty from "node:tty";
import * as url from "node:url";
import * as util from "node:util";
import * as perfHooks from "node:perf_hooks";
import * as timers from "node:timers";
import { setTimeout as delay } from "timers/promises";
import { promisify } from "node:util";
import * as v8 from "node:v8";
import * as vm from "node:vm";
import { Worker as WorkerThread } from "node:worker_threads";
import * as zlib from "node:zlib";
import { AsyncLocalStorage } from "node:async_hooks";
const DATABASE = new Database(":memory:");
const MADE_AT_LOAD = new Intl.DateTimeFormat("en", { timeZone: "UTC" });
const KEPT_ENV = process.env;
const KEPT_META_ENV = import.meta.env;
const META = import.meta;
const HERE = [import.meta.dir, __dirname, __filename].map((path) => path.length > 0);
const LOCAL_DAYS = new Intl.DateTimeFormat("en");
const FORMAT_DAY = new Intl.DateTimeFormat("en").format;
const LOCAL_NUMBERS = new Intl.NumberFormat();
const FORMAT_NUMBER = Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }).format;
const LOCAL_ORDER = new Intl.Collator();
const LOCAL_LIST = new Intl.ListFormat();
const LOCAL_RULES = new Intl.PluralRules();
const NUMBERS = new Intl.NumberFormat("en");
const ORDER = new Intl.Collator("en");
const STATEMENT = new Database(":memory:").query("select random()");
const { Bun: OTHER_BUN } = globalThis;
const GLOBAL = globalThis;
const requireOs = () => require("os");
const made = makeRequire(import.meta.url);
const GOT = process.getBuiltinModule("node:os");
const CLIENT = new Bun.SQL("sqlite://:memory:");
const FILE = Bun.file("/dev/null");
const CHANNEL = new MessageChannel();
const SOCKET = new net.Socket();
SOCKET.on("error", () => {});
`;

/** A member that was read from its object when the file was loaded, and is called on that object. */
function captured(call: string): string | undefined {
  const [, isNew, path] = /^(new )?((?:\w+\.)*\w+)\(/.exec(call) ?? [];
  if (path === undefined) return undefined;
  const owner = path.includes(".") ? path.slice(0, path.lastIndexOf(".")) : "undefined";
  const args = call.slice((isNew ?? "").length + path.length);
  if (!/^\(([^()]|\([^()]*\))*\)$/.test(args)) return undefined;
  const list = args.slice(1, -1);
  return isNew
    ? `((taken) => () => new taken${args})(${path})`
    : `((taken, owner) => () => Reflect.apply(taken, owner, [${list}]))(${path}, ${owner})`;
}

const CALLS = [...Object.values(GUARDED).flat(), ...PASSES];
const listOf = (toCode: (call: string) => string): string =>
  `[\n${CALLS.map((call) => `  ${toCode(call)},\n`).join("")}]`;

let folder: string;
let flow: Flow;
let run: Record<"direct" | "captured" | "imported", (() => unknown)[]>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "taskonaut-"));
  await Bun.write(
    join(folder, "helper.js"),
    `${HEAD}\nexport const imported = ${listOf((call) => `() => ${call}`)};\n`,
  );
  const path = join(folder, "flow.js");
  await Bun.write(
    path,
    `${HEAD}
import { defineFlow } from "taskonaut";
import * as v from "valibot";
import { imported } from "./helper.js";
const direct = ${listOf((call) => `() => ${call}`)};
const captured = ${listOf((call) => captured(call) ?? `() => ${call}`)};
export const run = { direct, captured, imported };
export default defineFlow({
  name: "guarded",
  input: v.object({ index: v.number(), how: v.string() }),
  *run({ index, how }) {
    try {
      run[how][index]();
    } catch {}
    return "went on";
  },
});
`,
  );
  [flow] = (await loadFlows([path])) as [Flow];
  ({ run } = (await import(path)) as { run: typeof run });
});

afterAll(() => rm(folder, { recursive: true }));

const TASK_ID = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";

function violationOf(index: number, how: keyof typeof run): Error | undefined {
  const program = createProgram(flow, {
    id: TASK_ID,
    input: JSON.stringify({ index, how }),
    createdAt: 0,
    stepsMax: 1000,
  });
  program.start();
  expect(program.end).toEqual({ kind: "completed", output: '"went on"' });
  return program.violation;
}

describe.each(["direct", "captured", "imported"] as const)("in a flow that catches everything, %s", (how) => {
  for (const [advice, calls] of Object.entries(GUARDED)) {
    test.each([...calls])("%s is a violation", (call) => {
      const violation = violationOf(CALLS.indexOf(call), how);
      expect(violation).toBeInstanceOf(DeterminismError);
      expect(violation?.message).toContain(advice);
    });
  }

  test.each(PASSES)("%s is none", (call) => {
    expect(violationOf(CALLS.indexOf(call), how)).toBeUndefined();
    expect(underWatch({ violation: undefined }, () => run[how][CALLS.indexOf(call)]?.())).toEqual(
      run[how][CALLS.indexOf(call)]?.(),
    );
  });
});

describe("outside of a flow", () => {
  test.each(CALLS)("%s works", async (call) => {
    const index = CALLS.indexOf(call);
    const value = run.direct[index]?.();
    if (
      /^(?:fetch(?:OfBun|\.preconnect)?\(|(?:\w+\??\.)?(?:Bun|OTHER_BUN)\.(?:fetch|write|sql)|undici|CLIENT)/.test(call)
    )
      await Promise.resolve(value).catch(() => {});
    if (call.startsWith("new W")) (value as { close?(): void; terminate?(): unknown }).terminate?.();
    if (call.startsWith("setInterval")) clearInterval(value as Timer);
  });
});

test("a guarded class is the class it was", () => {
  class Day extends Date {}
  expect(new Day(5)).toBeInstanceOf(Day);
  expect(new Day(5)).toBeInstanceOf(Date);
  expect(new Date(5).constructor).toBe(Date);
  expect([Date.name, Date.length, Date.UTC.name]).toEqual(["Date", 7, "UTC"]);
  expect(structuredClone(new Date(5))).toEqual(new Date(5));
  expect(typeof Date()).toBe("string");
});

test("the first violation stays, whatever comes after it", () => {
  const watch: Watch = { violation: undefined };
  expect(() => underWatch(watch, () => Math.random())).toThrow("Math.random()");
  expect(() => underWatch(watch, () => Date.now())).toThrow("Date.now()");
  expect(watch.violation?.message).toContain("Math.random()");
});
