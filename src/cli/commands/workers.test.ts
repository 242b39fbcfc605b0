import { expect, test } from "bun:test";
import type { Worker } from "../../core/api/worker.ts";
import type { CliCall, CliResult } from "../../../test/support/cli.ts";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { FakeTaskonaut } from "../../../test/support/fake-taskonaut.ts";

const ALIVE: Worker = {
  id: "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071",
  name: "host-a:17",
  state: "alive",
  concurrency: 100,
  flows: ["echo_add"],
  codes: {},
  tasks: 12,
  started_at: "2026-11-23T03:39:25.130Z",
  lease_until: "2026-11-23T03:42:37.130Z",
};
const DEAD: Worker = {
  ...ALIVE,
  name: "host-\u001b[31mb",
  state: "dead",
  tasks: 3,
  lease_until: "2026-11-23T03:39:25.130Z",
};
const CALLER: Worker = { ...ALIVE, name: "laptop:9", concurrency: 0, tasks: 1 };

function list(workers: readonly Worker[], options: Omit<Partial<CliCall>, "taskonaut"> = {}): Promise<CliResult> {
  const taskonaut = new FakeTaskonaut();
  taskonaut.workers = workers;
  return cli(["workers"], { taskonaut, ...options });
}

const TERMINAL = { isTTY: true, env: { NO_COLOR: "1" } };

test("workers are JSON for programs", async () => {
  const { code, stdout } = await list([ALIVE, DEAD]);
  expect([code, JSON.parse(stdout)]).toEqual([0, [ALIVE, DEAD]]);
  expect((await list([])).stdout).toBe("[]\n");
});

test("on a terminal they are a table with their load", async () => {
  const { stdout } = await list([ALIVE, DEAD, CALLER], TERMINAL);
  expect(stdout.split("\n")).toEqual([
    "WORKER          STATE   TASKS  STARTED    LEASE",
    "host-a:17       alive  12/100  3 min ago  for 12 s",
    "host-\\x1b[31mb  dead    3/100  3 min ago  ended 3 min ago",
    "laptop:9        alive       1  3 min ago  for 12 s",
    "",
  ]);
});

test("where nobody works, what does is said", async () => {
  const { code, stdout, stderr } = await list([], TERMINAL);
  expect([code, stdout, stderr]).toEqual([0, "", "Nobody works on the queue.\nnext: taskonaut work\n"]);
});
