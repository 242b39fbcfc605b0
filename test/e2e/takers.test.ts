// Who takes up what was left for a task, as a person is told who left it: on both stores, at home and by way of a server.

import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import { DIALECTS, openPlace } from "./place.ts";
import { taskOf } from "./tasks.ts";

setDefaultTimeout(60_000);

const FLOWS = `
import { defineFlow, waitForSignal } from "taskonaut";
import * as v from "valibot";
export default defineFlow({
  name: "waits", input: v.object({}), signals: { go: v.any() }, *run() { yield* waitForSignal("go"); return 1; },
});
`;

test.each(DIALECTS)("a signal and an enqueue say which worker has the flow, or that none has (%s)", async (dialect) => {
  await using place = await openPlace(dialect);
  await writeFile(join(place.folder, "waits.ts"), FLOWS);
  const flows = ["--flows", "waits.ts"];
  const isEnded = async (id: string): Promise<boolean> =>
    (JSON.parse((await place.run(["get-task", id])).stdout) as Task).status === "COMPLETED";
  const server = await place.serve([...flows, "--no-worker"]);
  const doors = [flows, ["--api-base-url", server.url]];

  // a worker without the flow takes none of its tasks
  const stranger = place.start(["work"]);
  await stranger.see("Worker started");
  for (const door of doors) {
    const queued = await place.run(["run-flow", "waits", "--mode", "enqueue", ...door]);
    const { id } = taskOf(queued);
    const told = `Task ${id} is in the queue. No worker that has flow waits is running.\n`;
    expect(queued.stderr).toStartWith(told);
    const { exit, stderr } = await place.run(["signal-task", id, "go", ...door]);
    expect(exit).toBe(0);
    expect(stderr).toContain("No worker that has flow waits is running.");
  }
  await stranger.stop();

  const worker = place.start(["work", ...flows]);
  await worker.see("Worker started");
  const name = new RegExp(`Worker \\S+:${worker.pid} (?:picks it up|drives the task now)\\.\n$`);
  for (const door of doors) {
    const queued = await place.run(["run-flow", "waits", "--mode", "enqueue", ...door]);
    expect(queued.stderr).toMatch(name);
    const { id } = taskOf(queued);
    const signalled = await place.run(["signal-task", id, "go", ...door]);
    expect(signalled.stderr).toStartWith(`Signal go is delivered to task ${id}.`);
    // it may be done by the time that it is printed
    if (taskOf(signalled).status !== "COMPLETED") expect(signalled.stderr).toMatch(name);
    while (!(await isEnded(id)));
  }
  await worker.stop();

  // who has left is gone
  const { stderr } = await place.run(["run-flow", "waits", "--mode", "enqueue", ...flows]);
  expect(stderr).toContain("No worker is running.\nnext: ");
});
