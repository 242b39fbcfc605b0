// A tool that kills its process every time it is called. Whatever else that process had in hand goes on elsewhere, and the
// task that did it is put aside.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { ScheduleDetails } from "../../src/core/api/schedules.ts";
import type { Task } from "../../src/core/api/task.ts";
import { taskOf } from "../e2e/tasks.ts";
import { DIALECTS, openPlace } from "../e2e/place.ts";
import { Crew, kill } from "./crew.ts";
import { effectsEnv, readEffects } from "./effects.ts";
import { Outsider } from "./outsider.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(120_000);

const BYSTANDERS = 300;

describe.each(DIALECTS)("%s", (dialect) => {
  test("it is parked after three deaths, nobody else is, and resume-task gives it another chance", async () => {
    await using place = await openPlace(dialect, { TASKONAUT_LEASE_MS: "2000" });
    const server = await place.serve(["--no-worker"], { env: { ...effectsEnv(place), LOG_LEVEL: "info" } });
    const outsider = new Outsider(server.url);
    const mended = join(place.folder, "mended");
    const enqueue = (flow: string, input: unknown): Promise<{ id: string }> =>
      outsider.post(`/flows/${flow}/tasks?start=now`, input);
    const half = async (): Promise<void> => {
      await Promise.all(Array.from({ length: BYSTANDERS / 2 }, (_, n) => enqueue("chained", { n })));
    };
    await half();
    const { id } = await enqueue("poisoned", { unless: mended });
    await half();

    await using crew = new Crew(place, { size: 2, concurrency: 40 });
    await until(async () => {
      const rows = await place.query<{ flow_name: string; state: string; count: unknown }>(
        `select flow_name, case when parked_reason is null then status else 'parked' end as state, count(*) as count
         from tasks group by 1, 2 order by 1`,
      );
      const states = rows.map(({ flow_name, state, count }) => `${flow_name} ${state} ${String(count)}`);
      return states.join() === `chained COMPLETED ${BYSTANDERS},poisoned parked 1`;
    }, "all bystanders end, and the poison is parked");
    expect(readEffects(place).filter(({ tool }) => tool === "poison")).toHaveLength(3);
    expect(crew.restarts).toBe(3);
    const parked = taskOf(await place.run(["get-task", id, "--json"], { env: effectsEnv(place) }));
    expect(parked.parked_reason).toMatch(/step 1 \(poison\) died 3 times in a row/);

    await Bun.write(mended, "");
    expect((await place.run(["resume-task", id], { env: effectsEnv(place) })).exit).toBe(0);
    await until(async () => {
      const { status } = taskOf(await place.run(["get-task", id, "--json"], { env: effectsEnv(place) }));
      return status === "COMPLETED";
    }, "the poison is drunk");
  });

  test("a flow in whose own code its processes die is parked after three deaths, and what they held beside is not", async () => {
    await using place = await openPlace(dialect, { TASKONAUT_LEASE_MS: "2000", TASKONAUT_FLOW_STUCK_MS: "600000" });
    const released = join(place.folder, "held");
    const env = effectsEnv(place);
    const enqueue = async (args: readonly string[]): Promise<string> =>
      taskOf(await place.run(["run-flow", ...args, "--mode", "enqueue", "--json"], { env })).id;
    const holds = await enqueue(["holds", "--until", released]);
    await using crew = new Crew(place, { size: 1, concurrency: 10 });
    await until(() => readEffects(place).some(({ tool }) => tool === "hold"), "a tool is held");
    const id = await enqueue(["endless", "--rounds", "1e15"]);
    for (let death = 1; death <= 3; death++) {
      const pid = crew.members[0]?.pid ?? 0;
      const cause = await until(async () => {
        const rows = await place.query<{ cause: string | null; name: string }>("select name, cause from workers");
        return rows.find(({ name }) => name.endsWith(`:${pid}`))?.cause ?? undefined;
      }, "it is seen that the flow takes long");
      expect(JSON.parse(cause)).toMatchObject({ taskId: id, stepId: "" });
      kill(pid, "SIGKILL");
      await until(() => crew.restarts === death, "it is started again");
    }
    const taskById = async (which: string): Promise<Task> =>
      taskOf(await place.run(["get-task", which, "--json"], { env }));
    await until(async () => (await taskById(id)).parked_reason !== null, "it is parked");
    expect((await taskById(id)).parked_reason).toMatch(/ran the code of flow endless died 3 times in a row/);
    await Bun.write(released, "");
    await until(async () => (await taskById(holds)).status === "COMPLETED", "what was held beside it ends");
    expect(crew.restarts).toBe(3);
  });

  test("a schedule that its processes die of is paused after three deaths, and all else goes on", async () => {
    await using place = await openPlace(dialect, { TASKONAUT_LEASE_MS: "2000", TASKONAUT_FLOW_STUCK_MS: "200" });
    const env = effectsEnv(place);
    const released = join(place.folder, "held");
    const holds = await place.run(["run-flow", "holds", "--until", released, "--mode", "enqueue", "--json"], { env });
    for (const [name, flow] of [
      ["deadly", "slow_key"],
      ["beside", "echo_add"],
    ] as const)
      expect((await place.run(["schedule", "add", name, "--flow", flow, "--every", "1s"], { env })).exit).toBe(0);
    await using crew = new Crew(place, { size: 2, concurrency: 10 });
    const read = async (name: string): Promise<ScheduleDetails> =>
      JSON.parse((await place.run(["schedule", "show", name, "--json"], { env })).stdout) as ScheduleDetails;
    const { pause_reason } = await until(async () => {
      const deadly = await read("deadly");
      return deadly.paused_at === null ? undefined : deadly;
    }, "it is paused");
    expect(pause_reason).toMatch(
      /^The processes that planned its tasks died 3 times in a row in the contract, keys, tags or plan of flow slow_key \(at \/.*holding\.ts:\d+:\d+\): each was killed/,
    );
    const { fired_count: before } = await read("beside");
    await until(async () => (await read("beside")).fired_count > before, "the other fires");
    await Bun.write(released, "");
    const { id } = taskOf(holds);
    await until(async () => {
      const { status, parked_reason } = taskOf(await place.run(["get-task", id, "--json"], { env }));
      expect(parked_reason).toBeNull();
      return status === "COMPLETED";
    }, "what was held beside it ends");
    expect([3, 4]).toContain(crew.restarts); // the other one may have planned it at the same time
    expect(await read("deadly")).toMatchObject({ fired_count: 0, next_at: null });
  });
});
