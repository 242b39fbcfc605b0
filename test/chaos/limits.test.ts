// Limits hold with five workers that are killed one after the other: what their tools write when they begin and end says what
// ran at any moment. CHAOS_SEED, CHAOS_KILLS: as in `chaos.test.ts`.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DIALECTS, openPlace, type Place } from "../e2e/place.ts";
import { Random } from "../sim/random.ts";
import { effort } from "../support/effort.ts";
import { until } from "../support/until.ts";
import { Crew, killAtRandom } from "./crew.ts";
import { Outsider } from "./outsider.ts";

const SEED = Number(process.env["CHAOS_SEED"] ?? 1);
const KILLS = Number(process.env["CHAOS_KILLS"] ?? effort({ check: 2, long: 6 }));
const WORKERS = 5;
const TENANTS = 4;
const TASKS = 60 + 20 * KILLS;

setDefaultTimeout(180_000 + 10_000 * KILLS);

/** Of each flow: how many of its tools run at once, and of one tenant. */
const LIMITS = {
  metered: { running: 6, ofTenant: 2 },
  ticketed: { running: 4, ofTenant: 2 },
  serial: { running: Number.POSITIVE_INFINITY, ofTenant: 1 },
} as const;

type FlowName = keyof typeof LIMITS;

const FLOWS = `
import { appendFileSync } from "node:fs";
import { call, defineFlow, defineTool } from "taskonaut";
import * as v from "valibot";

const Work = v.object({ tenant: v.string(), n: v.number() });

const toolOf = (name: string, limits?: object) =>
  defineTool({
    name: \`work_\${name}\`,
    input: Work,
    output: v.null(),
    ...limits,
    async run({ tenant, n }, { stepId }) {
      const tell = (what: string): void =>
        appendFileSync(process.env.EFFECTS ?? "", \`\${JSON.stringify({ what, name, tenant, n, stepId })}\\n\`);
      tell("begin");
      await Bun.sleep(5 + (n % 5) * 5);
      tell("end");
      return null;
    },
  });

const key = ({ tenant }: { tenant: string }): string => tenant;

const flowOf = (name: string, tool: ReturnType<typeof toolOf>, limits?: object) =>
  defineFlow({
    name,
    input: Work,
    ...limits,
    *run(work) {
      yield* call(tool, work);
    },
  });

export const metered = flowOf("metered", toolOf("metered"), { limits: { running: 6, key, runningPerKey: 2 } });
export const serial = flowOf("serial", toolOf("serial"), { limits: { key, runningPerKey: 1 } });
export const ticketed = flowOf("ticketed", toolOf("ticketed", { limits: { running: 4, key, runningPerKey: 2 } }));
`;

interface Line {
  readonly what: "begin" | "end";
  readonly name: FlowName;
  readonly tenant: string;
  readonly n: number;
  readonly stepId: string;
}

/** What a process that was killed has begun runs until another one has run it to its end: its place is kept. */
function observe(lines: readonly Line[], name: FlowName): { readonly most: number; readonly mostOfTenant: number } {
  const running = new Map<string, string>();
  let [most, mostOfTenant] = [0, 0];
  for (const { what, name: of, tenant, stepId } of lines) {
    if (of !== name) continue;
    if (what === "end") running.delete(stepId);
    else running.set(stepId, tenant);
    most = Math.max(most, running.size);
    mostOfTenant = Math.max(mostOfTenant, [...running.values()].filter((each) => each === tenant).length);
  }
  return { most, mostOfTenant };
}

function linesOf({ folder }: Place): readonly Line[] {
  const path = join(folder, "effects");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Line);
}

describe.each(DIALECTS)("%s", (dialect) => {
  test(`no limit is exceeded, nothing is lost, and tasks of a key begin in order, whoever is killed (seed ${SEED})`, async () => {
    await using place = await openPlace(dialect);
    const flows = await place.write("limited/flows.ts", FLOWS);
    const server = await place.serve(["--no-worker", "--flows", flows]);
    const outsider = new Outsider(server.url);
    for (let n = 0; n < TASKS; n++) {
      for (const name of Object.keys(LIMITS)) {
        await outsider.post(`/flows/${name}/tasks?start=now`, { tenant: `tenant ${n % TENANTS}`, n });
      }
    }
    const crew = new Crew(place, { size: WORKERS, concurrency: 8, env: { TASKONAUT_FLOWS: flows } });
    await killAtRandom(crew, new Random(SEED), KILLS);
    const open = (): Promise<{ id: string }[]> => place.query("select id from tasks where finished_at is null");
    await until(async () => (await open()).length === 0, "all tasks end");
    await crew.stop();

    const failed = await place.query("select id from tasks where status <> 'COMPLETED'");
    expect(failed).toEqual([]);
    const lines = linesOf(place);
    for (const [name, { running, ofTenant }] of Object.entries(LIMITS) as [FlowName, (typeof LIMITS)[FlowName]][]) {
      const { most, mostOfTenant } = observe(lines, name);
      expect([name, most]).toEqual([name, Math.min(most, running)]);
      expect([name, mostOfTenant]).toEqual([name, Math.min(mostOfTenant, ofTenant)]);
      // the limit was what held them back
      expect([name, most]).toEqual([name, Math.max(most, 2)]);
      const begun = new Set(lines.flatMap((line) => (line.name === name ? line.n : [])));
      expect([name, begun.size]).toEqual([name, TASKS]);
    }
    for (let tenant = 0; tenant < TENANTS; tenant++) {
      const ofTenant = lines.filter((line) => line.name === "serial" && line.tenant === `tenant ${tenant}`);
      const order = [...new Set(ofTenant.map(({ n }) => n))];
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
  });
});
