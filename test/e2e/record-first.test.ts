// A worker is killed with SIGKILL in the very moment in which an effect happens: whoever takes the task up afterwards knows
// that it was about to, and with what.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import { DIALECTS, openPlace, type Place } from "./place.ts";
import { taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

const KILLED = 137;

interface Effect {
  readonly tool: string;
  readonly key: string;
  readonly input: unknown;
}

/** A file of flows: `run` is the body of the flow `sample`; its tools tell of their effects, and `pay` may be the end. */
const fileOf = (folder: string, run: string): string => `
  import { appendFileSync, existsSync, unlinkSync } from "node:fs";
  import { call, defineFlow, defineTool, now, runChild, sleep } from "taskonaut";
  import * as v from "valibot";
  const happen = (tool, input, { idempotencyKey: key }) => {
    appendFileSync(${JSON.stringify(join(folder, "effects"))}, JSON.stringify({ tool, key, input }) + "\\n");
    if (!existsSync(${JSON.stringify(join(folder, "doom"))})) return null;
    unlinkSync(${JSON.stringify(join(folder, "doom"))});
    Bun.spawnSync(["kill", "-KILL", String(process.pid)]); // process.kill refuses to end its own process
  };
  const toolOf = (name, execution) => defineTool({
    name, input: v.any(), output: v.any(), execution,
    run: (input, context) => (execution === "pure" ? null : happen(name, input, context)),
  });
  const [pay, refund, pure] = [toolOf("pay", "at-least-once"), toolOf("refund", "at-least-once"), toolOf("pure", "pure")];
  export const kid = defineFlow({ name: "kid", input: v.any(), *run(input) { return yield* call(pay, input); } });
  export const sample = defineFlow({ name: "sample", input: v.any(), *run() { ${run} } });
`;

async function write(place: Place, run: string): Promise<void> {
  await mkdir(join(place.folder, "flows"), { recursive: true });
  await writeFile(join(place.folder, "flows", "sample.ts"), fileOf(place.folder, run));
}

async function effectsOf(place: Place): Promise<Effect[]> {
  const path = join(place.folder, "effects");
  if (!existsSync(path)) return [];
  const lines = (await readFile(path, "utf8")).split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Effect);
}

/** A worker takes a task of the flow, and dies of its first effect. */
async function killedIn(place: Place, run: string): Promise<string> {
  await write(place, run);
  await writeFile(join(place.folder, "doom"), "");
  const { id } = taskOf(await place.run(["run-flow", "sample", "--mode", "enqueue"]));
  expect((await place.start(["work"]).ended()).exit).toBe(KILLED);
  expect(await effectsOf(place)).toHaveLength(1);
  return id;
}

const runTask = async (place: Place, id: string): Promise<Task> => taskOf(await place.run(["run-task", id]));

describe.each(DIALECTS)("%s: a worker is killed as an effect happens", (dialect) => {
  test("code that was edited meanwhile does not call the same key with another input", async () => {
    await using place = await openPlace(dialect);
    const former = "yield* call(pure, 1); yield* call(pay, { cents: 100 });";
    const id = await killedIn(place, former);
    await write(place, former.replace("100", "999"));
    const { exit, stderr } = await place.run(["run-task", id]);
    expect({ exit, stderr }).toEqual({ exit: 4, stderr: expect.stringContaining('with {"cents":100}') });
    expect(await effectsOf(place)).toHaveLength(1);
    await write(place, former);
    expect((await runTask(place, id)).status).toBe("COMPLETED");
    const [first, second, ...more] = await effectsOf(place);
    expect(more).toEqual([]);
    expect(second).toEqual(first as Effect);
  });

  test("now() is the same in every execution", async () => {
    await using place = await openPlace(dialect);
    const id = await killedIn(place, "yield* call(pure, 1); yield* call(pay, { at: now().getTime() });");
    expect((await runTask(place, id)).status).toBe("COMPLETED");
    const [first, second] = await effectsOf(place);
    expect(second).toEqual(first as Effect);
  });

  test("a cancel that comes then lets the flow undo it", async () => {
    await using place = await openPlace(dialect);
    const id = await killedIn(
      place,
      'try { yield* call(pay, 1); yield* sleep("1h"); } finally { yield* call(refund, 1); }',
    );
    expect(taskOf(await place.run(["cancel-task", id])).status).toBe("CANCELLED");
    expect((await effectsOf(place)).map(({ tool }) => tool)).toEqual(["pay", "refund"]);
  });

  test("a child has the input that its parent has recorded", async () => {
    await using place = await openPlace(dialect);
    const id = await killedIn(place, "yield* runChild(kid, { at: now().getTime() });");
    const task = await runTask(place, id);
    expect(task.status).toBe("COMPLETED");
    const inputs = (await effectsOf(place)).map(({ input }) => input);
    expect(inputs).toEqual([task.steps[0]?.input_payload, task.steps[0]?.input_payload]);
  });
});
