// A pause among real workers that are killed and started again, and take over from each other: an observer in the tools
// notes when each call begins, and none does between the end of `pause` and the beginning of `unpause`.

import { expect, setDefaultTimeout, test } from "bun:test";
import { Crew } from "../chaos/crew.ts";
import { countEffects, effectsEnv, readEffects } from "../chaos/effects.ts";
import { Random } from "../sim/random.ts";
import { until } from "../support/until.ts";
import { DIALECTS, openPlace, type Place } from "./place.ts";

setDefaultTimeout(180_000);

const WORKERS = 5;
const TASKS = 40;
const STEPS = 40;
const ROUNDS = 3;

/** So long after `pause` has returned it is looked whether something begins: longer than a worker takes to start. */
const WATCH_MS = 1500;

const FLOWS = `
import { appendFileSync } from "node:fs";
import { call, defineFlow, defineTool, runChild } from "taskonaut";
import * as v from "valibot";

const note = (tool) => (input, { idempotencyKey: key }) => {
  appendFileSync(process.env.EFFECTS, JSON.stringify({ tool, key, pid: process.pid, at: Date.now() }) + "\\n");
};
const take = async (tool, input, context) => {
  note(tool)(input, context);
  await new Promise((resolve) => setTimeout(resolve, 50));
  if (tool === "flaky" && context.attempt === 1) throw new Error("once more");
  return null;
};
const input = v.object({ n: v.number() });
const tools = Object.fromEntries(["plain", "flaky"].map((name) => [
  name, defineTool({ name, input, output: v.null(), retry: { attempts: 3, base: "20ms" }, run: (given, context) => take(name, given, context) }),
]));
export const inner = defineFlow({ name: "inner", input, *run({ n }) { yield* call(tools.plain, { n }, { as: "inner" }); } });
export const busy = defineFlow({
  name: "busy", input: v.object({}),
  *run() {
    for (let n = 0; n < ${STEPS}; n++) {
      if (n % 10 === 9) yield* runChild(inner, { n });
      else yield* call(n % 3 === 0 ? tools.flaky : tools.plain, { n });
    }
  },
});
`;

const TARGETS = [["busy"], ["--all"], ["--tool", "plain"]] as const;

/** What begins although it is held back by the pause of this target. */
function isHeldBack(target: readonly string[], tool: string, isInner: boolean): boolean {
  if (target[0] === "--all") return true;
  return target[0] === "--tool" ? tool === target[1] : !isInner;
}

async function innerKeys(place: Place): Promise<ReadonlySet<string>> {
  const rows = await place.query<{ id: string }>("select id from tasks where flow_name = 'inner'");
  return new Set(rows.map(({ id }) => id));
}

for (const dialect of DIALECTS) {
  test(`nothing of what is paused begins among ${WORKERS} workers that are killed, on ${dialect}`, async () => {
    await using place = await openPlace(dialect);
    const file = await place.write("flows/busy.ts", FLOWS);
    const env = { ...effectsEnv(place), TASKONAUT_FLOWS: file };
    const run = async (...args: readonly string[]): Promise<string> => {
      const { exit, stdout, stderr } = await place.run(args, { env });
      if (exit !== 0) throw new Error(`${args.join(" ")} exited with ${exit}: ${stderr}`);
      return stdout;
    };
    await using crew = new Crew(place, { size: WORKERS, concurrency: 10, env });
    const random = new Random(20_261_129);
    const server = await place.serve(["--no-worker"], { env: { ...env, LOG_LEVEL: "info" } });
    const ids = await Promise.all(
      Array.from({ length: TASKS }, async () => {
        const answer = await fetch(`${server.url}/flows/busy/tasks?start=now`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: "{}",
        });
        return ((await answer.json()) as { id: string }).id;
      }),
    );
    for (let round = 0; round < ROUNDS; round++) {
      const target = TARGETS[round % TARGETS.length] ?? TARGETS[0];
      const before = countEffects(place);
      await until(() => countEffects(place) > before + 50, "the workers are at work");
      // one falls while it is being paused, and one afterwards: whoever takes over has to know
      const pausing = run("pause", ...target, "--reason", "round");
      await crew.killOne(random);
      await pausing;
      const pausedAt = Date.now();
      await crew.killOne(random);
      await Bun.sleep(WATCH_MS);
      const endsAt = Date.now();
      const inner = await innerKeys(place);
      await run("unpause", ...target);
      const late = readEffects(place).filter(
        ({ at, tool, key }) =>
          at > pausedAt && at < endsAt && isHeldBack(target, tool, inner.has(key.split(":")[0] ?? "")),
      );
      expect({ target, late }).toEqual({ target, late: [] });
    }
    await until(async () => {
      const open = await place.query("select id from tasks where finished_at is null");
      return open.length === 0;
    }, "they end");
    const rows = await place.query<{ status: string }>("select distinct status from tasks");
    expect(rows).toEqual([{ status: "COMPLETED" }]);
    expect(ids).toHaveLength(TASKS);
  });
}
