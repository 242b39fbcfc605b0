import { expect, test } from "bun:test";
import type { ListedTask } from "../core/api/task.ts";
import { cli } from "../../test/support/cli-in-memory.ts";
import { FakeTaskonaut } from "../../test/support/fake-taskonaut.ts";
import { CREATED_AT, plannedTask } from "../../test/support/tasks.ts";

const TASKS: readonly ListedTask[] = [
  plannedTask({
    id: "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071",
    flow_name: "order",
    status: "WAITING_OBSERVATION",
    waiting_for: [{ kind: "signal", name: "approved", until: null, task_id: null }],
    input_payload: { sku: "A1", qty: 2 },
  }),
  plannedTask({
    id: "019ab2c4-5d6f-7f80-9a1b-2c3d4e5f6071",
    flow_name: "echo_add",
    status: "FAILED",
    error_message: "add: the bank 🏦 says 不可能, and nobody knows why it does so",
    created_at: "2026-11-20T03:39:25.130Z",
  }),
  plannedTask({ id: "75ebec5c-d430-513e-ba58-2f4dffcc7ebe", parked_reason: "The flow is another one now." }),
  { id: "019ab2c4-5d70-7f80-9a1b-2c3d4e5f6071", created_at: CREATED_AT, damage: "It is odd." },
];

async function show(columns: number): Promise<readonly string[]> {
  const taskonaut = new FakeTaskonaut();
  taskonaut.listTasks = async () => ({ tasks: TASKS });
  const { stdout } = await cli(["get-tasks", "--format", "table"], { taskonaut, env: { COLUMNS: String(columns) } });
  return stdout.split("\n");
}

test("what a list says of its tasks depends on the room, the most important comes first", async () => {
  expect(await show(20)).toEqual([
    "TASK           STAT…",
    "019ab2c4-5d6e  WAIT…",
    "019ab2c4-5d6f  FAIL…",
    "75ebec5c-d430  PARK…",
    "019ab2c4-5d70  DAMA…",
    "",
  ]);
  expect(await show(40)).toEqual([
    "TASK           STATUS           FLOW",
    "019ab2c4-5d6e  WAITING for si…  order",
    "019ab2c4-5d6f  FAILED           echo_add",
    "75ebec5c-d430  PARKED           f",
    "019ab2c4-5d70  DAMAGED",
    "",
  ]);
  expect(await show(80)).toEqual([
    "TASK           STATUS                       FLOW      CREATED    ERROR",
    "019ab2c4-5d6e  WAITING for signal approved  order     3 min ago",
    "019ab2c4-5d6f  FAILED                       echo_add  3 d ago    add: the bank …",
    "75ebec5c-d430  PARKED                       f         3 min ago  The flow is an…",
    "019ab2c4-5d70  DAMAGED                                3 min ago",
    "",
  ]);
  expect(await show(120)).toEqual([
    "TASK           STATUS                       FLOW      CREATED    ERROR                              INPUT",
    '019ab2c4-5d6e  WAITING for signal approved  order     3 min ago                                     {"sku":"A1","qty":2}',
    "019ab2c4-5d6f  FAILED                       echo_add  3 d ago    add: the bank 🏦 says 不可能, an…  {}",
    "75ebec5c-d430  PARKED                       f         3 min ago  The flow is another one now.       {}",
    "019ab2c4-5d70  DAMAGED                                3 min ago",
    "",
  ]);
  expect((await show(300))[2]).toBe(
    "019ab2c4-5d6f-7f80-9a1b-2c3d4e5f6071  FAILED                       echo_add  3 d ago    add: the bank 🏦 says 不可能, and nobody knows why it does so  {}",
  );
});
