// Packages in a flow: their needless calls are answered from the record, and their kept state is refused.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createProgram } from "../core/flow/create-program.ts";
import type { Flow } from "../core/flow/flow.ts";
import { loadFlows } from "./loader.ts";

const FILES: Readonly<Record<string, string>> = {
  // luxon and cron-parser make such calls, for unused fields and for zones that are given
  "node_modules/dates/index.js": `
    // not () => Date.now(): a tail call leaves its function out of the stack
    export const now = () => Date.now() + 0;
    export const date = () => new Date().getTime();
    export const text = () => String(new Date(5)) + "";
    export const locale = () => new Intl.DateTimeFormat().resolvedOptions().locale;
    export const isZone = (zone) => { try { new Intl.DateTimeFormat("en-US", { timeZone: zone }).format(); return true; } catch { return false; } };
    export const seed = () => Math.random() * 2;
    export const debug = () => process.env.DEBUG ?? "off";
    // zod checks in this way whether it may create functions
    export const agent = () => navigator.userAgent.includes("Cloudflare");
    export const hours = () => new Date(5).getHours() + 0;
    export const zoneOfMachine = () => new Intl.DateTimeFormat("en").format(5);
    // @date-fns/utc and @date-fns/tz make their dates like this
    class Utc extends Date {
      constructor(time) { super(); if (time !== undefined) this.setTime(time); }
      getHours() { return this.getUTCHours(); }
    }
    export const subclass = () => [new Utc() instanceof Utc, new Utc().getTime(), new Utc(5).getHours()];
    export const bytes = () => crypto.getRandomValues(new Uint8Array(4));`,
  // nanoid and uuid keep a pool like this
  "node_modules/nanoid/index.js": `
    let pool = "";
    export const urlAlphabet = "abc";
    export const nanoid = () => {
      if (pool.length < 8) pool += Buffer.from(crypto.getRandomValues(new Uint8Array(64))).toString("hex");
      const id = pool.slice(0, 8); pool = pool.slice(8); return id;
    };
    export const customAlphabet = () => () => nanoid();`,
  "node_modules/date-fns/index.js": `
    export const dayOf = (date) => date.getDate() + 0;`,
  "node_modules/uuid/index.js": `
    const { randomFillSync } = require("node:crypto");
    const pool = new Uint8Array(256); let at = 256;
    exports.v4 = () => { if (at > 240) { randomFillSync(pool); at = 0; } return pool.slice(at, (at += 16)).join(""); };
    exports.validate = (text) => text.length > 3;`,
  "node_modules/pool/index.js": `
    import { randomFillSync } from "node:crypto";
    const pool = new Uint8Array(256); let at = 256;
    export const draw = () => { if (at > pool.length - 16) { randomFillSync(pool); at = 0; } return pool[at++]; };`,
  // branches of flows, as a team would share them
  "node_modules/branches/index.js": `
    import { sleep } from "taskonaut";
    export function* tidy() { try { yield* sleep("1s"); } finally { yield* sleep("2s"); } }`,
  "node_modules/other/index.js": `
    export function* count() { try { yield 1; } finally { yield 2; } }`,
  "flow.ts": `
    import { defineFlow } from "taskonaut";
    import * as v from "valibot";
    import * as dates from "dates";
    import { customAlphabet, nanoid, urlAlphabet } from "nanoid";
    import { v4, validate } from "uuid";
    import { draw } from "pool";
    import { dayOf } from "date-fns";
    import { tidy } from "branches";
    import { count } from "other";
    export const generators = { tidy, count };
    const short = customAlphabet();
    export const use = {
      ...dates, nanoid, v4, short, draw,
      pure: () => [urlAlphabet, validate("abcd")],
      isUtc: () => dates.isZone("UTC") && !dates.isZone("Nowhere/X"),
      own: () => Date.now(),
      dayOf: () => dayOf(new Date(5)),
    };
    export default defineFlow({ name: "f", input: v.string(), *run(what) { return use[what]() as never; } });`,
};

let folder: string;
let flow: Flow;
let use: Readonly<Record<string, () => unknown>>;
let generators: Readonly<Record<string, () => unknown>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "taskonaut-"));
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await Bun.write(join(folder, name), text);
  }
  const path = join(folder, "flow.ts");
  [flow] = (await loadFlows([path])) as [Flow];
  ({ use, generators } = (await import(path)) as { use: typeof use; generators: typeof generators });
});
afterAll(() => rm(folder, { recursive: true }));

function run(what: string): { readonly output: unknown; readonly violation: string | undefined } {
  const id = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";
  const program = createProgram(flow, { id, input: JSON.stringify(what), createdAt: 86_400_000, stepsMax: 9 });
  program.start();
  const { end, violation } = program;
  return {
    output: end?.kind === "completed" ? JSON.parse(end.output) : undefined,
    violation: violation?.message.replaceAll(`${folder}/`, ""),
  };
}

test.each([
  ["now", 86_400_000],
  ["date", 86_400_000],
  ["subclass", [true, 86_400_000, 0]],
  ["text", "Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)"],
  ["locale", "en-US"],
  ["isUtc", true],
  ["agent", false],
  ["debug", process.env["DEBUG"] ?? "off"],
  ["pure", ["abc", true]],
])("a package that asks for %s in a flow gets what the record has", (what, output) => {
  expect(run(what)).toEqual({ output, violation: undefined });
});

test("a package that draws in a flow draws the same on every replay, and outside of one by chance", () => {
  const { output } = run("seed");
  expect(output).toBeNumber();
  expect(run("seed").output).toBe(output);
  expect(use["seed"]?.()).not.toBe(output);
});

test.each([
  ["hours", " through the package dates"],
  ["zoneOfMachine", " through the package dates"],
  ["bytes", ""], // a tail call
  ["own", ""],
])("%s is refused all the same, with the line of the flow%s", (what, through) => {
  expect(run(what).violation).toMatch(
    new RegExp(`^A flow called [\\w. ]+\\([…]?\\)${through} at flow\\.ts:\\d+:\\d+, which`),
  );
});

test("a package that is known to take dates in UTC is refused with the way to give them", () => {
  expect(run("dayOf").violation).toContain("called date.getDate() through the package date-fns at flow.ts:");
  expect(run("dayOf").violation).toEndWith(
    "It depends on the time zone of the machine: give it a `UTCDate` of the package @date-fns/utc.",
  );
});

test.each(["nanoid", "v4", "short", "draw"])("%s is refused whatever the process has drawn before", (what) => {
  for (let times = 0; times < 3; times++) {
    expect(run(what).violation).toContain("Use `uuid()` or `random()`");
    use[what]?.(); // like a call in a tool: it fills the package's state
  }
});

test("a package that has branches of flows has marks in its finally blocks, and no other package has", () => {
  expect(generators["tidy"]?.toString()).toContain("$taskonaut");
  expect(generators["count"]?.toString()).not.toContain("$taskonaut");
});
