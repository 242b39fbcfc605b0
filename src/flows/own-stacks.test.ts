import { afterAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadFlows } from "./loader.ts";
import { createProgram } from "../core/flow/create-program.ts";
import type { Flow } from "../core/flow/flow.ts";
import { stackForm } from "../core/flow/own-stacks.ts";
import { outsideWatch, underWatch, violate } from "../core/flow/determinism.ts";

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

const FLOW = `import { defineFlow } from "taskonaut";
import * as v from "valibot";
import { inspect } from "node:util";
import { make } from "made";
class Own extends Error {
  name = "Own";
  constructor(message) {
    super(message);
    Error.captureStackTrace(this, Own);
  }
}
const MADE_AT_LOAD = new Error("early");
const deep = (error) => [1].map(() => error())[0];
export default defineFlow({
  name: "shows_stacks",
  input: v.unknown(),
  *run() {
    const caught = [];
    try { null.x; } catch (error) { caught.push(error.stack); }
    const holder = {};
    Error.captureStackTrace(holder);
    return {
      plain: deep(() => new Error("x")).stack, caught, holder: holder.stack, own: new Own("mine").stack,
      made: make().stack, early: MADE_AT_LOAD.stack, inspected: inspect(new TypeError("t")), copy: structuredClone(new Error("s")).stack,
    };
  },
});
`;

/** What the flow returns, from a file in a new folder. */
async function stacksSeen(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-"));
  folders.push(folder);
  const path = join(folder, "shows.js");
  await Bun.write(path, FLOW);
  await mkdir(join(folder, "node_modules/made"), { recursive: true });
  await Bun.write(join(folder, "node_modules/made/package.json"), '{"name":"made","main":"index.js"}');
  await Bun.write(join(folder, "node_modules/made/index.js"), 'exports.make = () => new Error("of a package");');
  const [flow] = (await loadFlows([path])) as [Flow];
  const program = createProgram(flow, { id: crypto.randomUUID(), input: "{}", createdAt: 0, stepsMax: 10 });
  program.start();
  expect(program.violation).toBeUndefined();
  const { end } = program;
  return end?.kind === "completed" ? end.output : JSON.stringify(end);
}

test("a flow sees the same stacks in every folder: places in its own files, by their names", async () => {
  const seen = await stacksSeen();
  expect(await stacksSeen()).toBe(seen);
  const stacks = JSON.parse(seen) as Record<string, unknown>;
  expect(stacks["plain"]).toBe("Error: x\n    at shows.js:13:29\n    at shows.js:23:14");
  expect(stacks["made"]).toStartWith("Error: of a package\n    at node_modules/made/index.js:1:");
  expect(stacks["holder"]).toStartWith("Error\n    at shows.js:21:");
  expect(stacks["own"]).toStartWith("Own: mine\n    at shows.js:");
  expect(seen).not.toContain(tmpdir());
});

test("outside of it, and for what is refused in it, they are as ever", () => {
  const { stack } = new Error("x");
  expect(stack).toContain(import.meta.path);
  const before = stackForm();
  const violation = underWatch({ violation: undefined }, () => {
    expect(new Error("x").stack).not.toContain(import.meta.dir);
    expect(outsideWatch(() => new Error("x").stack)).toContain(import.meta.path);
    try {
      return violate("x()", "Do not.");
    } catch (error) {
      return error as Error;
    }
  });
  expect(violation.stack).toContain(import.meta.path);
  expect(stackForm()).toBe(before);
});
