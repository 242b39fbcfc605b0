import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeterminismError, underWatch, type Watch } from "../core/flow/determinism.ts";
import type { Flow } from "../core/flow/flow.ts";
import { createProgram } from "../core/flow/create-program.ts";
import { loadFlows } from "./loader.ts";

/** Calls as a flow would write them. The part before the parenthesis is also captured when the file is loaded. */
const GUARDED: Readonly<Record<string, readonly string[]>> = {
  "now()": [
    "new Date()",
    "Date()",
    "Date.now()",
    "new Date(5).constructor.now()",
    "performance.now()",
    "performance.mark('x')",
    "performance.toJSON()",
    "Temporal.Now.instant()",
    "process.hrtime()",
    "process.hrtime.bigint()",
    "process.uptime()",
    "processModule.hrtime()",
    "hrtime()",
    "hrtime.bigint()",
    "Bun.nanoseconds()",
    "new Intl.DateTimeFormat('en', { timeZone: 'UTC' }).format()",
    "MADE_AT_LOAD.format()",
    "new Event('x').timeStamp",
    "performance.timeOrigin",
    "MADE_AT_LOAD.formatToParts()",
    "perfHooks.performance.now()",
    "performance.eventLoopUtilization()",
  ],
  "random()": [
    "Math.random()",
    "crypto.randomUUID()",
    "crypto.getRandomValues(new Uint8Array(2))",
    "Bun.randomUUIDv7()",
    "nodeCrypto.randomBytes(4)",
  ],
  "sleep(": [
    "setTimeout(() => {}, 1)",
    "setInterval(() => {}, 1)",
    "setImmediate(() => {})",
    "promisify(setTimeout)(1)",
    "delay(1)",
    "timers.setTimeout(() => {}, 1)",
    "Bun.sleep(1)",
    "Bun.sleepSync(1)",
    "AbortSignal.timeout(1)",
  ],
  tool: [
    "fetch('http://127.0.0.1:1/')",
    "new WebSocket('ws://127.0.0.1:1/')",
    "new Worker('data:text/javascript,')",
    "crypto.subtle.digest('SHA-256', new Uint8Array(2))",
    "Bun.file('/dev/null')",
    "Bun.write('/dev/null', 'x')",
    "Bun.spawn(['true'])",
    "Bun.spawnSync(['true'])",
    "Bun.which('true')",
    "Bun.password.hashSync('x', { algorithm: 'bcrypt', cost: 4 })",
    "process.cwd()",
    "process.memoryUsage()",
    "process.memoryUsage.rss()",
    "process.kill(process.pid, 0)",
    "fs.readFileSync('/dev/null')",
    "readFileSync('/dev/null')",
    "fsDefault.existsSync('/dev/null')",
    "fs.promises.readFile('/dev/null')",
    "fsPromises.readFile('/dev/null')",
    "nodeCrypto.randomInt(4)",
    "nodeCrypto.generateKeyPairSync('ed25519')",
    "execSync('true')",
    "net.connect(1, '127.0.0.1').on('error', () => {})",
    "http.request('http://127.0.0.1:1/').on('error', () => {}).destroy()",
    "https.request('https://127.0.0.1:1/').on('error', () => {}).destroy()",
    "dns.getServers()",
    "dns.promises.getServers()",
    "os.hostname()",
    "hostname()",
    "new WorkerThread('', { eval: true })",
    "new Database(':memory:')",
    "DATABASE.query('select 1').get()",
    "vm.runInNewContext('Date.now()')",
    "v8.getHeapStatistics()",
    "requireOs().hostname()",
    "os.tmpdir()",
    "tty.isatty(1)",
    "URL.createObjectURL(new Blob([]))",
    "Bun.CSRF.generate('secret')",
    "process.report.getReport()",
    "Bun.fetch('http://127.0.0.1:1/')",
    "fetchOfBun('http://127.0.0.1:1/')",
    "undici.request('http://127.0.0.1:1/')",
    "undici.fetch('http://127.0.0.1:1/')",
    "new Bun.SQL('sqlite://:memory:')",
    "Bun.sql`select 1`.execute()",
    "CLIENT`select 1`.execute()",
    "CLIENT.begin(() => {})",
    "Bun.$`true`",
    "Bun.stdout.writer()",
    "FILE.writer()",
    "fs.createReadStream('/dev/null').on('error', () => {})",
    "new fs.ReadStream('/dev/null').on('error', () => {})",
    "process.pid",
    "process.env.HOME",
    "process.argv[0]",
    "Bun.env.HOME",
    "Bun.main",
    "navigator.hardwareConcurrency",
    "made('node:os').hostname()",
    "made('node:' + 'os').hostname()",
    "import.meta.require('node:' + 'os').hostname()",
    "GOT.hostname()",
    "import.meta.env.HOME",
    "KEPT_ENV.HOME",
    "'HOME' in KEPT_META_ENV",
    "({ ...importedEnv })",
    "importedEnv.HOME",
    "importedArgv.length",
    "self.Bun.fetch('http://127.0.0.1:1/')",
    "globalThis?.Bun.fetch('http://127.0.0.1:1/')",
    "OTHER_BUN.fetch('http://127.0.0.1:1/')",
    "GLOBAL.Bun.which('true')",
    "STATEMENT.get()",
    "STATEMENT.all()",
    "fetch.preconnect('http://127.0.0.1:1/')",
    "util.parseArgs()",
    "CHANNEL.port1.postMessage(1)",
    "SOCKET.write('x')",
  ],
  UTC: [
    "new Date(2026, 0, 1)",
    "new Date('2026-01-01T00:00')",
    "new Date('01-02-2020')",
    "new Date('25-Dec-2020')",
    "new Date('12345')",
    "new Date(new String('2026-01-01T00:00'))",
    "new Date(['2026-01-01T00:00'])",
    "new Date({ toString: () => '1 Jan 2026' })",
    "Date.parse('01-02-2020')",
    "Date.parse(['1 Jan 2026'])",
    "new Date(5).getYear()",
    "new Date(5).setHours(1)",
    "new Date(5).toTimeString()",
    "`${new Date(5)}`",
    "new Date(5) + ''",
    "Date.parse('1 Jan 2026')",
    "new Date(5).getHours()",
    "new Date(5).setDate(1)",
    "new Date(5).toString()",
    "String(new Date(5))",
    "new Date(5).getTimezoneOffset()",
    "new Date(5).toLocaleString()",
    "new Date(5).toLocaleDateString('en')",
    "new Intl.DateTimeFormat('en')",
    "LOCAL_DAYS.format(5)",
    "LOCAL_DAYS.formatToParts(5)",
    "LOCAL_DAYS.formatRange(5, 6)",
    "FORMAT_DAY(5)",
  ],
  locale: [
    "'a'.localeCompare('b')",
    "(1.5).toLocaleString()",
    "'i'.toLocaleUpperCase()",
    "new Intl.NumberFormat()",
    "new Intl.Collator()",
    "LOCAL_NUMBERS.format(1.5)",
    "LOCAL_NUMBERS.formatToParts(1.5)",
    "FORMAT_NUMBER(1.5)",
    "['b', 'a'].toSorted(LOCAL_ORDER.compare)",
    "LOCAL_LIST.format(['a'])",
    "LOCAL_RULES.select(1)",
    "Temporal.PlainDate.from('2026-01-01').toLocaleString()",
  ],
  "absolute path": [
    "path.resolve('a')",
    "path.posix.resolve('a')",
    "path.relative('a', '/b')",
    "url.pathToFileURL('a')",
    "Bun.pathToFileURL('a')",
  ],
  lastModified: ["new File([], 'x')", "new buffer.File([], 'x')"],
  terminal: ["util.styleText('red', 'x')", "Bun.color('red', 'ansi')"],
  operations: [
    "queueMicrotask(() => {})",
    "process.nextTick(() => {})",
    "Bun.peek(Promise.resolve(1))",
    "Bun.peek.status(Promise.resolve(1))",
  ],
  "keep the value": ["new WeakRef({}).deref()", "new FinalizationRegistry(() => {})"],
  "top of the file": ["process.getBuiltinModule('node:fs')"],
};

const PASSES = [
  "new Date(5)",
  "new Date(new Date(5))",
  "new Date({ valueOf: () => 5 })",
  "new Date(new Number(5))",
  "new Date('2026')",
  "new Date('+012026-01')",
  "new Date('1 Jan 2026 GMT')",
  "new Date('Thu Jan 01 2026 00:00:00 GMT+0100 (Central European Standard Time)')",
  "Date.parse([new Date(5).toISOString()])",
  "Bun.deepEquals([1], [1])",
  "Bun.YAML.parse('a: 1')",
  "new Event('x').type",
  "process.platform",
  "new AsyncLocalStorage().getStore()",
  "new Date('2026-01-01')",
  "new Date('2026-01-01T00:00:00Z')",
  "new Date('Thu, 01 Jan 2026 00:00:00 GMT')",
  "new Date('2026-01-01T00:00:00+01:00').toISOString()",
  "new (class Day extends Date {})(5).getTime()",
  "Date.UTC(2026, 1)",
  "Date.parse('2026-01-01T00:00:00Z')",
  "new Date(5).getUTCHours()",
  "JSON.stringify(new Date(5))",
  "structuredClone(new Date(5))",
  "new Date(5).toLocaleString('en', { timeZone: 'UTC' })",
  "new Intl.DateTimeFormat('en', { timeZone: 'UTC' }).format(5)",
  "new Intl.NumberFormat('en').format(1.5)",
  "'a'.localeCompare('b', 'en')",
  "Math.max(1, 2)",
  "nodeCrypto.createHash('sha256').update('x').digest('hex')",
  "Bun.hash('x')",
  "new Bun.CryptoHasher('sha256').update('x').digest('hex')",
  "net.isIP('127.0.0.1')",
  "path.resolve('/a', 'b')",
  "path.relative('/a', '/b')",
  "path.join('a', 'b')",
  "url.pathToFileURL('/a').href",
  "Bun.pathToFileURL('/a').href",
  "new File([], 'x', { lastModified: 5 }).lastModified",
  "Buffer.alloc(8)",
  "util.styleText('red', 'x', { validateStream: false })",
  "util.parseArgs({ args: [] }).positionals",
  "Bun.color('red', 'css')",
  "NUMBERS.format(1.5)",
  "['b', 'a'].toSorted(ORDER.compare)",
  "Temporal.PlainDate.from('2026-01-01').toLocaleString('en')",
  "zlib.gzipSync('x').length",
  "v8.deserialize(v8.serialize({ a: 1 }))",
];

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
