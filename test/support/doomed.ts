// A process that drives one task and kills itself (SIGKILL) at a given place: right before or right after its n-th
// write, or in the middle of the n-th call of a tool. It prints how many of them there were, where it lives that long.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { echoAdd } from "../../src/flows/echo-add.ts";
import { atEnd } from "./at-end.ts";
import { openStore } from "./databases.ts";
import { engineOn } from "./engine.ts";
import { faultyStore, type AtWrite } from "./faulty-store.ts";
import { ledgerFlow } from "./ledger-flow.ts";
import { once } from "./once.ts";

export interface Doom {
  readonly where: "before a write" | "after a write" | "in a tool";
  /** Counted from 1. */
  readonly number: number;
}

export interface DoomedJob {
  readonly url: string;
  readonly flow: "echo_add" | "ledger";
  /** Creates the task under this key, so that others know its id. */
  readonly idempotencyKey: string;
  readonly drive: "advance" | "run";
  /** Where the flow `ledger` writes. */
  readonly ledger: string;
  readonly doom?: Doom;
}

interface Survived {
  readonly writes: number;
  readonly toolCalls: number;
}

/** Past this many advances a task of these flows has ended. */
const ADVANCES_MAX = 20;

if (import.meta.main) {
  const { url, flow, idempotencyKey, drive, ledger, doom } = JSON.parse(process.argv[2] ?? "") as DoomedJob;
  const counted = { writes: 0, toolCalls: 0 };
  const dieAt = (where: Doom["where"], number: number): void => {
    if (doom?.where === where && doom.number === number) process.kill(process.pid, "SIGKILL");
  };
  const atWrite: AtWrite = async (number, write) => {
    counted.writes = number;
    dieAt("before a write", number);
    const result = await write();
    dieAt("after a write", number);
    return result;
  };
  const flows = [ledgerFlow(ledger, () => dieAt("in a tool", ++counted.toolCalls))];
  const engine = engineOn(faultyStore(await openStore(url), atWrite), { flows, limits: { leaseMs: 500 } });
  const { task } = await engine.createTask({
    flow: flow === "ledger" ? flow : echoAdd.name,
    input: {},
    idempotencyKey,
  });
  if (drive === "run") await engine.runTask(task.id);
  else for (let i = 0; i < ADVANCES_MAX; i++) if ((await engine.advanceTask(task.id)).status === "COMPLETED") break;
  await engine.close();
  process.stdout.write(JSON.stringify(counted));
  process.exit(0);
}

/** How much it did, or undefined where it killed itself. Throws where it ended in any other way. */
export async function runDoomed(job: DoomedJob): Promise<Survived | undefined> {
  const child = Bun.spawn([process.execPath, await program(), JSON.stringify(job)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await child.stdout.text();
  await child.exited;
  if (child.signalCode === "SIGKILL") return undefined;
  if (child.exitCode !== 0) throw new Error(`The process ended with ${child.exitCode ?? child.signalCode}.`);
  return JSON.parse(text) as Survived;
}

/** This file with all that it imports, in one file: hundreds of processes need not read each module by itself. */
const program: () => Promise<string> = once(async () => {
  const outdir = await mkdtemp(join(tmpdir(), "taskonaut-doomed-"));
  atEnd(() => rm(outdir, { recursive: true }));
  const { outputs } = await Bun.build({ entrypoints: [import.meta.path], target: "bun", outdir });
  return outputs[0]?.path ?? "";
});
