// A server's life as a process: how it starts, what it logs, how it ends, and `--reload`.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFile, cp, rename, symlink } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import { insist } from "../support/insist.ts";
import { until } from "../support/until.ts";
import { binary } from "./binary.ts";
import { closeGate } from "./gate.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import { openPlace } from "./place.ts";
import { LISTENING } from "./served.ts";
import { expectCompleted, taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

const ROOT = join(import.meta.dir, "../..");

/** Whether somebody listens there. */
async function isOpen(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}

describe("a server that is told to stop", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("by %s finishes what is under way, and exits with 0", async (signal) => {
    await using place = await openPlace("postgres");
    await using gate = await closeGate(place, "add");
    const server = await place.serve();
    const { id } = taskOf(await place.run(["run-flow", "--mode", "create"]));
    const underWay = fetch(`${server.url}/tasks/${id}/run`, { method: "POST" });
    await gate.reached();
    process.kill(server.pid, signal);
    await server.see("Stopping: the server takes no more requests");
    await until(async () => !(await isOpen(server.url)));
    await gate.open();
    const response = await underWay;
    expect(response.status).toBe(200);
    expectCompleted((await response.json()) as Task);
    const { exit, stdout } = await server.ended();
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: "" });
  });

  test("with nothing to do ends at once, and its port is free again", async () => {
    // whoever waited for the grace period would wait for long
    await using sandbox = await openSandbox({ TASKONAUT_GRACE_MS: "3600000" });
    const server = await sandbox.serve();
    // a connection that stays open holds nobody up
    await fetch(`${server.url}/healthz`, { keepalive: true });
    expect((await server.stop()).exit).toBe(0);
    const again = await sandbox.serve(["--port", new URL(server.url).port]);
    expect((await again.stop("SIGINT")).exit).toBe(0);
  });

  test("twice leaves at once", async () => {
    await using place = await openPlace("postgres");
    await using gate = await closeGate(place, "add");
    const server = await place.serve();
    const { id } = taskOf(await place.run(["run-flow", "--mode", "create"]));
    const underWay = fetch(`${server.url}/tasks/${id}/run`, { method: "POST" }).catch(() => "cut off");
    await gate.reached();
    process.kill(server.pid, "SIGTERM");
    await server.see("Stopping");
    expect((await insist(() => process.kill(server.pid, "SIGTERM"), server.ended())).exit).toBe(130);
    expect(await underWay).toBe("cut off");
    await gate.open();
    expectCompleted(taskOf(await place.run(["run-task", id])));
  });
});

describe("logs", () => {
  type Line = Record<string, unknown>;
  const linesOf = (log: string): Line[] =>
    log
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);

  /** Runs one task over a server and gives what the server logged. */
  async function logOf(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ id: string; log: string }> {
    await using sandbox = await openSandbox(env);
    const server = await sandbox.serve(args);
    const response = await fetch(`${server.url}/tasks`, {
      method: "POST",
      body: "{}",
      headers: { "Content-Type": "application/json" },
    });
    const { id } = (await response.json()) as Task;
    await fetch(`${server.url}/tasks/${id}/run`, { method: "POST" });
    return { id, log: (await server.stop()).stderr };
  }

  /** The text of the source line that a log line names. */
  async function sourceOf({ file, line }: Line): Promise<string> {
    return (await Bun.file(join(ROOT, String(file))).text()).split("\n")[Number(line) - 1] ?? "";
  }

  test("are one JSON object a line, with the place in the source that wrote it", async () => {
    const { id, log } = await logOf([]);
    const lines = linesOf(log);
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringMatching(LISTENING),
      "Worker started",
      "task created",
      "task ended",
      expect.stringContaining("Stopping"),
    ]);
    for (const line of lines) {
      expect(Object.keys(line).slice(0, 6)).toEqual(["timestamp", "level", "file", "function", "line", "message"]);
      expect(line).toMatchObject({ timestamp: expect.stringMatching(/^\d{4}-.*Z$/), level: "info" });
      expect(await sourceOf(line)).toMatch(/log\.(info|debug|warn|error)\?\.\(/);
    }
    expect(lines[0]).toMatchObject({ file: "src/cli/commands/run-app.ts", function: "serve" });
    expect(lines[2]).toMatchObject({
      file: "src/engine/driving/new-tasks.ts",
      function: "insert",
      task_id: id,
      flow: "echo_add",
    });
    expect(lines[3]).toMatchObject({ task_id: id, flow: "echo_add", status: "COMPLETED" });
  });

  test("tell each transition and step at debug, with task, step and tool", async () => {
    for (const [args, env] of [
      [["--log-level", "debug"], {}],
      [[], { LOG_LEVEL: "debug" }],
    ] as const) {
      const { id, log } = await logOf(args, env);
      const lines = linesOf(log).filter(({ task_id }) => task_id === id);
      const moves = lines.filter(({ message }) => message === "task moved");
      expect(moves.map(({ from, to }) => [from, to])).toEqual([
        ["PLANNED", "RUNNING"],
        ["RUNNING", "WAITING_OBSERVATION"],
        ["WAITING_OBSERVATION", "RUNNING"],
        ["RUNNING", "WAITING_OBSERVATION"],
        ["WAITING_OBSERVATION", "COMPLETED"],
      ]);
      expect(moves.every(({ level }) => level === "debug")).toBe(true);
      const steps = lines.filter(({ message }) => message === "step ended");
      expect(steps.map(({ step, tool }) => [step, tool])).toEqual([
        ["echo", "echo"],
        ["add", "add"],
      ]);
      expect(linesOf(log).filter(({ message }) => message === "request")).toMatchObject([
        { method: "POST", path: "/tasks", status: 201 },
        { method: "POST", path: `/tasks/${id}/run`, status: 200 },
      ]);
    }
  });

  test("are compact with --logster or LOG_STYLE=logster, in colour on a terminal alone", async () => {
    for (const [args, env] of [
      [["--logster"], {}],
      [[], { LOG_STYLE: "logster" }],
    ] as const) {
      const { id, log } = await logOf(args, env);
      const lines = log.trimEnd().split("\n");
      for (const line of lines) expect(line).toMatch(/^\[\d\d:\d\d:\d\d\]\[INFO\]\[src\/[\w/.-]+\]\[[#\w]+:\d+\] \S/);
      expect(lines[2]).toMatch(new RegExp(`\\] task created task_id=${id} flow=echo_add$`));
    }
    await using sandbox = await openSandbox();
    const terminal = await sandbox.terminal(["run-app", "--port", "0", "--logster"]);
    await terminal.see(LISTENING);
    expect(terminal.raw).toContain("\u001B[38;5;28m[INFO]\u001B[0m");
    terminal.press("ctrl-c");
    await terminal.see("Stopping");
    expect(await terminal.exited()).toBe(0);
  });

  test("are quiet where the level says so", async () => {
    await using sandbox = await openSandbox({ LOG_LEVEL: "info" });
    for (const args of [
      ["--log-level", "warn"],
      ["--log-level", "error"],
    ]) {
      expect((await sandbox.run(["run-flow", ...args])).stderr).toBe("");
    }
    const { stderr } = await sandbox.run(["run-flow"]);
    expect(linesOf(stderr).map(({ message }) => message)).toEqual(["task created", "task ended"]);
  });

  test("tell why a task failed", async () => {
    await using sandbox = await openSandbox();
    const { stderr } = await sandbox.run(["run-flow", "--a", "9007199254740991", "--log-level", "info"]);
    expect(linesOf(stderr).map(({ level, message }) => [level, message])).toEqual([
      ["warn", "tool attempt failed"],
      // with all that came of it, in one commit
      ["info", "task created"],
      ["warn", "step failed"],
      ["info", "task failed"],
    ]);
    expect(linesOf(stderr)[2]).toMatchObject({ step: "add", tool: "add" });
    expect(linesOf(stderr)[3]).toMatchObject({ error: expect.stringContaining("sum: must be an integer") });
  });
});

describe("run-app --reload", () => {
  /** Serves with --reload, makes the change, and expects a new server on the same data; ends it in any case. */
  async function expectRestart(sandbox: Sandbox, change: () => Promise<void>): Promise<void> {
    const server = await sandbox.serve(["--reload"]);
    let url = server.url;
    try {
      for (let time = 0; time < 2; time++) {
        const created = await sandbox.run(["run-flow", "--api-base-url", url]);
        const { id } = taskOf(created);
        await change();
        await server.see("a source changed; the server restarts");
        const old = url;
        url = (await server.see(LISTENING))[1] ?? "";
        expect(url === old || !(await isOpen(old))).toBe(true);
        expectCompleted(taskOf(await sandbox.run(["get-task", id, "--api-base-url", url])));
      }
    } finally {
      const { exit } = await server.stop();
      expect(exit).toBe(0);
      expect(await isOpen(url)).toBe(false);
    }
  }

  test("from the binary: starts anew when the binary is replaced", async () => {
    await using home = await openSandbox();
    const program = join(home.folder, "taskonaut-copy");
    await copyFile(await binary(), program);
    await using sandbox = await openSandbox({}, [program]);
    await expectRestart(sandbox, async () => {
      await copyFile(await binary(), `${program}.new`);
      await rename(`${program}.new`, program);
    });
  });

  test("from the sources: starts anew when one of them changes", async () => {
    await using home = await openSandbox();
    for (const part of ["src", "sql", "package.json"]) {
      await cp(join(ROOT, part), join(home.folder, part), { recursive: true });
    }
    await symlink(join(ROOT, "node_modules"), join(home.folder, "node_modules"));
    await using sandbox = await openSandbox({}, [process.execPath, join(home.folder, "src/main.ts")]);
    const file = join(home.folder, "src/flows/echo-add.ts");
    await expectRestart(sandbox, async () => {
      await Bun.write(file, `${await Bun.file(file).text()}\n`);
    });
  });

  test("at a terminal: Ctrl-C reaches server and supervisor, and what is under way is finished all the same", async () => {
    await using place = await openPlace("postgres");
    await using gate = await closeGate(place, "add");
    const { id } = taskOf(await place.run(["run-flow", "--mode", "create"]));
    const terminal = await place.terminal(["run-app", "--reload", "--port", "0"]);
    const [, url = ""] = await terminal.see(LISTENING);
    const underWay = fetch(`${url}/tasks/${id}/run`, { method: "POST" });
    await gate.reached();
    terminal.press("ctrl-c");
    await terminal.see("Stopping: the server takes no more requests");
    await until(async () => !(await isOpen(url)));
    await gate.open();
    expectCompleted((await (await underWay).json()) as Task);
    expect(await terminal.exited()).toBe(0);
  });

  test("a supervisor that is killed leaves no server behind", async () => {
    await using sandbox = await openSandbox();
    const server = await sandbox.serve(["--reload"]);
    process.kill(server.pid, "SIGKILL");
    await until(async () => !(await isOpen(server.url)));
  });
});
