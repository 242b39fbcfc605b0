import { expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Task } from "../../core/api/task.ts";
import { cli } from "../../../test/support/cli-in-memory.ts";
import { FakeTaskonaut, TASK_ID } from "../../../test/support/fake-taskonaut.ts";

test("signal-task sends exactly what was typed", async () => {
  const taskonaut = new FakeTaskonaut();
  await cli(["run-flow", "free", "--mode", "create"], { taskonaut });
  const path = join(await mkdtemp(join(tmpdir(), "taskonaut-cli-")), "payload.json");
  await writeFile(path, '\ufeff{"from":"a file"}\n');
  const send = (...argv: string[]) =>
    cli(["signal-task", TASK_ID, "nudged", ...argv], { taskonaut, ...(argv.includes("-") && { stdin: "[2.50]" }) });
  for (const argv of [
    [],
    ["--payload", '{"by":"ann \\ud800"}'],
    ["--payload=-5"],
    ["--payload", `@${path}`],
    ["--payload", "-", "--idempotency-key", "mail 17"],
  ]) {
    const { code, stdout, stderr } = await send(...argv);
    expect([code, (JSON.parse(stdout) as Task).id]).toEqual([0, TASK_ID]);
    expect(stderr).toStartWith(`Signal nudged is delivered to task ${TASK_ID}.`);
  }
  await rm(dirname(path), { recursive: true });
  expect(taskonaut.requests("signalTask")).toEqual([
    [TASK_ID, { name: "nudged", payload: null }],
    [TASK_ID, { name: "nudged", payload: { by: "ann \ud800" } }],
    [TASK_ID, { name: "nudged", payload: -5 }],
    [TASK_ID, { name: "nudged", payload: { from: "a file" } }],
    [TASK_ID, { name: "nudged", payload: [2.5], idempotencyKey: "mail 17" }],
  ]);
});

test.each([
  ["hello", "--payload: Not valid JSON at line 1, column 1"],
  ["", "--payload: Not valid JSON"],
  ["@/nowhere/payload.json", "--payload: /nowhere/payload.json: "],
  ["@.", "--payload: .: "],
  ["@", "--payload: names no file after @"],
  ["-", "--payload: stdin: Not valid JSON at line 1, column 2"],
  ["9007199254740993", "send it as text"],
])("signal-task --payload %p is refused before anything is opened", async (payload, message) => {
  const { code, stderr, taskonaut } = await cli(["signal-task", TASK_ID, "approved", "--payload", payload], {
    stdin: "{",
  });
  expect(code).toBe(2);
  expect(stderr).toContain(message);
  expect([taskonaut.calls, taskonaut.closed]).toEqual([[], 0]);
});

test("a payload on stdin that is not UTF-8 is refused", async () => {
  const { code, stderr } = await cli(["signal-task", TASK_ID, "s", "--payload", "-"], {
    stdin: new Uint8Array([34, 255, 34]),
  });
  expect([code, stderr.split("\n")[0]]).toEqual([2, "error: --payload: stdin: not UTF-8"]);
});

test("data on stdin is the payload where none is given, and is refused beside one", async () => {
  const taskonaut = new FakeTaskonaut();
  await cli(["run-flow", "free", "--mode", "create"], { taskonaut });
  const piped = { taskonaut, stdin: '{"by":"Ada"}' };
  expect((await cli(["signal-task", TASK_ID, "nudged"], piped)).code).toBe(0);
  const { code, stderr } = await cli(["signal-task", TASK_ID, "nudged", "--payload", "1"], piped);
  expect([code, stderr.split(";")[0]]).toEqual([2, "error: stdin: has data, but --payload is given"]);
  expect(taskonaut.requests("signalTask")).toEqual([[TASK_ID, { name: "nudged", payload: { by: "Ada" } }]]);
});
