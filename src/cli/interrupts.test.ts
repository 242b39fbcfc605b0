// What becomes of a task, and what a person is told, when a signal comes while it is driven.

import { expect, test } from "bun:test";
import { TaskonautError } from "../core/errors.ts";
import { setActivity } from "../core/flow/activity.ts";
import { whileLoading } from "../core/flow/loading.ts";
import { Signals } from "../../test/support/cli.ts";
import { cli } from "../../test/support/cli-in-memory.ts";
import { createInterrupts } from "./interrupts.ts";
import { FakeTaskonaut, TASK_ID } from "../../test/support/fake-taskonaut.ts";

test("Ctrl-C while a task is being cancelled says how to go on", async () => {
  const signals = new Signals();
  const taskonaut = new FakeTaskonaut();
  await cli(["run-flow", "--mode", "create"], { taskonaut });
  taskonaut.whileRunning = () => {
    signals.send();
    return new Promise(() => {});
  };
  const { code, stderr } = await cli(["cancel-task", TASK_ID], { taskonaut }, signals);
  expect(code).toBe(130);
  expect(stderr).toContain(`taskonaut run-task ${TASK_ID}`);
});

test("Ctrl-C against a server says that the server goes on, and how to look", async () => {
  for (const argv of [
    ["cancel-task", TASK_ID],
    ["run-task", TASK_ID],
    ["run-task", TASK_ID, "--wait"],
    ["advance-task", TASK_ID],
  ]) {
    const signals = new Signals();
    const taskonaut = new FakeTaskonaut();
    await cli(["run-flow", "--mode", "create"], { taskonaut });
    taskonaut.whileRunning = () => {
      signals.send();
      return new Promise(() => {});
    };
    const env = { TASKONAUT_API_URL: "http://127.0.0.1:1" };
    const { code, stderr } = await cli(argv, { taskonaut, env }, signals);
    expect(code).toBe(130);
    expect(stderr).toBe(
      `Stopped waiting. The server continues the task.\nhint: see how far it is:\n  taskonaut get-task ${TASK_ID}\n`,
    );
  }
});

test("a signal lets the running step end, and says how to go on", async () => {
  const signals = new Signals();
  const taskonaut = new FakeTaskonaut();
  const step = Promise.withResolvers<void>();
  const order: string[] = [];
  taskonaut.whileRunning = async () => {
    signals.send();
    await step.promise;
    order.push("step ended");
    throw new TaskonautError("shutting_down", "closing");
  };
  taskonaut.close = () => {
    if (taskonaut.closed++ > 0) return Promise.resolve();
    step.resolve();
    // later than the work's own failure, which must not be what is told
    return new Promise((resolve) =>
      setImmediate(() => {
        order.push("closed");
        resolve();
      }),
    );
  };
  const { code, stdout, stderr } = await cli(["run-flow"], { taskonaut }, signals);
  expect(code).toBe(130);
  expect(order[0]).toBe("step ended");
  expect(stdout).toBe("");
  expect(stderr).toContain(`taskonaut run-task ${TASK_ID}`);
  expect(stderr).not.toContain("closing");
});

test("a task that ends in spite of the signal is printed as ever", async () => {
  const signals = new Signals();
  const taskonaut = new FakeTaskonaut();
  const ended = Promise.withResolvers<void>();
  taskonaut.whileRunning = async () => {
    taskonaut.whileRunning = undefined;
    signals.send();
    setImmediate(ended.resolve);
    await Promise.resolve();
  };
  const wiring = { openTaskonaut: async () => Object.assign(taskonaut, { close: () => ended.promise }) };
  const { code, stdout } = await cli(["run-flow"], { taskonaut, wiring }, signals);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ status: "COMPLETED" });
});

test("a second signal waits for nothing", async () => {
  const signals = new Signals();
  const taskonaut = new FakeTaskonaut();
  taskonaut.close = () => {
    signals.send();
    return new Promise(() => {});
  };
  taskonaut.whileRunning = () => {
    signals.send();
    return new Promise(() => {});
  };
  const { code, stderr } = await cli(["run-flow"], { taskonaut }, signals);
  expect(code).toBe(130);
  expect(stderr).toContain("Stopped at once.");
});

test("Ctrl-C twice in a row is heard at a terminal; elsewhere, and where one signal comes twice, it is one", async () => {
  const stopsAtOnce = async (afterMs: number, isTTY: boolean): Promise<boolean> => {
    const signals = new Signals();
    const taskonaut = new FakeTaskonaut();
    const step = Promise.withResolvers<never>();
    taskonaut.close = () => {
      signals.send(afterMs);
      step.reject(new TaskonautError("shutting_down", "closing"));
      return Promise.resolve();
    };
    taskonaut.whileRunning = () => {
      signals.send();
      return step.promise;
    };
    const { code, stderr } = await cli(["run-flow", "--mode", "run", "--text", "x"], { taskonaut, isTTY }, signals);
    expect(code).toBe(130);
    return stderr.includes("Stopped at once.");
  };
  expect(await stopsAtOnce(120, true)).toBe(true);
  expect(await stopsAtOnce(5, true)).toBe(false);
  expect(await stopsAtOnce(120, false)).toBe(false);
  expect(await stopsAtOnce(300, false)).toBe(true);
});

/** Somebody who listens to signals. */
function listening({ stdinIsTTY }: { readonly stdinIsTTY: boolean }) {
  const signals = new Signals();
  const onSignal = (listener: () => void): (() => void) => signals.listen(listener);
  let count = 0;
  const stop = createInterrupts({ onSignal, now: () => 0, stdinIsTTY }).onFirst(() => count++);
  return { signals, heard: () => count, stop };
}

test("while files of flows are loaded, a signal is not received: it ends the process", async () => {
  const { signals, heard, stop } = listening({ stdinIsTTY: false });
  const loaded = Promise.withResolvers<void>();
  const loading = whileLoading(() => loaded.promise);
  signals.send();
  expect(heard()).toBe(0);
  loaded.resolve();
  await loading;
  signals.send();
  expect(heard()).toBe(1);
  stop();
});

test("a signal is received only once somebody watches the event loop: before that it ends the process", async () => {
  const watched = Promise.withResolvers<void>();
  setActivity({ begin() {}, end() {}, hearSignal() {}, listen() {}, watched: watched.promise });
  try {
    const { signals, heard, stop } = listening({ stdinIsTTY: true });
    signals.send();
    expect(heard()).toBe(0);
    watched.resolve();
    await watched.promise;
    signals.send();
    expect(heard()).toBe(1);
    stop();
  } finally {
    setActivity(undefined);
  }
});
