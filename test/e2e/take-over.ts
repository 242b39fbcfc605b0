// How soon the tasks of a worker that is gone are in other hands: measured by what their tools write when they start.

import { join } from "node:path";
import { kill } from "../chaos/crew.ts";
import { effectsEnv, readEffects } from "../chaos/effects.ts";
import { Outsider } from "../chaos/outsider.ts";
import { until } from "../support/until.ts";
import type { Place } from "./place.ts";
import type { Started } from "./served.ts";

/** Of the tasks of one worker: from its end until they have started elsewhere. */
export interface TakeOver {
  readonly firstMs: number;
  readonly lastMs: number;
}

const TASKS = 20;

/** More than lies between two looks at who lives. */
const WATCH_MS_MAX = 500;

/** Kills a worker in the middle of its tasks, so many times; each time the one that took them over is the next victim. */
export async function measureKills(place: Place, kills: number): Promise<readonly TakeOver[]> {
  const outsider = await openOutsider(place);
  const measured: TakeOver[] = [];
  let victim = await startWorker(place);
  for (let round = 0; round < kills; round++) {
    const gate = join(place.folder, `gate-${round}`);
    const ids = await holdTasks(place, outsider, { by: victim, gate });
    const heir = await startWorker(place);
    await Bun.sleep(Math.random() * WATCH_MS_MAX); // at any moment between two looks at who lives
    const goneAt = Date.now();
    kill(victim.pid, "SIGKILL");
    measured.push(await awaitStarts(place, ids, { by: heir, goneAt }));
    await Bun.write(gate, "");
    await until(async () => {
      const open = await place.query("select id from tasks where finished_at is null");
      return open.length === 0;
    }, "they end");
    victim = heir;
  }
  return measured;
}

/** The victim reaches its database by `url`; `cut` lets nothing through there any more, and closes nothing. */
export async function measureCut(
  place: Place,
  { url, cut }: { readonly url: string; readonly cut: () => void },
): Promise<TakeOver> {
  const outsider = await openOutsider(place);
  const victim = await startWorker(place, { DATABASE_URL: url });
  const ids = await holdTasks(place, outsider, { by: victim, gate: join(place.folder, "gate") });
  const heir = await startWorker(place);
  const goneAt = Date.now();
  cut();
  return awaitStarts(place, ids, { by: heir, goneAt });
}

async function openOutsider(place: Place): Promise<Outsider> {
  const server = await place.serve(["--no-worker"], { env: { ...effectsEnv(place), LOG_LEVEL: "info" } });
  return new Outsider(server.url);
}

async function startWorker(place: Place, env: Readonly<Record<string, string>> = {}): Promise<Started> {
  const worker = place.start(["work"], { env: { ...effectsEnv(place), LOG_LEVEL: "info", ...env } });
  await worker.see("Worker started");
  return worker;
}

/** Puts tasks in the queue whose tools end when the gate is there, and waits until the worker runs them. Gives their ids. */
async function holdTasks(
  place: Place,
  outsider: Outsider,
  { by, gate }: { readonly by: Started; readonly gate: string },
): Promise<ReadonlySet<string>> {
  const enqueue = (): Promise<{ id: string }> => outsider.post("/flows/holds/tasks?start=now", { until: gate });
  const tasks = await Promise.all(Array.from({ length: TASKS }, enqueue));
  const ids = new Set(tasks.map(({ id }) => id));
  await until(() => startsOf(place, ids, by).length === TASKS, "their tools run");
  return ids;
}

async function awaitStarts(
  place: Place,
  ids: ReadonlySet<string>,
  { by, goneAt }: { readonly by: Started; readonly goneAt: number },
): Promise<TakeOver> {
  const starts = await until(() => {
    const all = startsOf(place, ids, by);
    return all.length === ids.size && all;
  }, "all are taken over");
  return { firstMs: Math.min(...starts) - goneAt, lastMs: Math.max(...starts) - goneAt };
}

/** When the worker started the tools of these tasks, in milliseconds since 1970. */
function startsOf(place: Place, ids: ReadonlySet<string>, { pid }: Started): number[] {
  return readEffects(place)
    .filter((effect) => effect.tool === "hold" && effect.pid === pid && ids.has(effect.key.split(":")[0] ?? ""))
    .map(({ at }) => at);
}
