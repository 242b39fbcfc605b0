// Where tasks are kept, and what the surroundings may not change about it.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { binary } from "./binary.ts";
import { openSandbox } from "./harness.ts";
import { taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

/** Goes to another folder when it is loaded, and again in its tool; gives where it is. */
const WANDERS = `
  import { call, defineFlow, defineTool } from "taskonaut";
  import * as v from "valibot";
  process.chdir("elsewhere");
  const wander = defineTool({
    name: "wander", input: v.object({}), output: v.string(),
    run() { process.chdir("../elsewhere"); return process.cwd(); },
  });
  export default defineFlow({ name: "wanders", input: v.object({}), *run() { return yield* call(wander, {}); } });
`;

const UNAVAILABLE = /^error: The database .+ cannot be used: .+\.\n$/;

describe("the embedded database", () => {
  test("is a file in the user's data folder, which is created for this user alone", async () => {
    await using sandbox = await openSandbox();
    const { id } = taskOf(await sandbox.run(["run-flow"]));
    const { mode } = await stat(join(sandbox.folder, "taskonaut"));
    expect((mode & 0o777).toString(8)).toBe("700");
    expect(existsSync(join(sandbox.folder, "taskonaut", "taskonaut.db"))).toBe(true);
    expect(taskOf(await sandbox.run(["get-task", id])).id).toBe(id);
  });

  test("and its folders are for their owner alone whatever the umask is, and a folder that was there stays as it was", async () => {
    await using sandbox = await openSandbox();
    const run = async (dataHome: string): Promise<string[]> => {
      const env = { HOME: sandbox.folder, XDG_DATA_HOME: dataHome, PATH: "/usr/bin:/bin" };
      const script = 'umask 000; exec "$0" run-flow';
      const child = Bun.spawnSync(["sh", "-c", script, await binary()], { cwd: sandbox.folder, env });
      expect(child.exitCode).toBe(0);
      const root = join(sandbox.folder, ".local");
      const found = new Bun.Glob("**").scan({ cwd: sandbox.folder, dot: true, onlyFiles: false });
      const paths = (await Array.fromAsync(found)).toSorted();
      expect(existsSync(root)).toBe(dataHome === "");
      const modes = paths.map(async (path) => ((await stat(join(sandbox.folder, path))).mode & 0o777).toString(8));
      return (await Promise.all(modes)).map((mode, i) => `${mode} ${paths[i]}`);
    };
    expect(await run("")).toEqual([
      "700 .local",
      "700 .local/share",
      "700 .local/share/taskonaut",
      "600 .local/share/taskonaut/taskonaut.db",
    ]);
    await rm(join(sandbox.folder, ".local"), { recursive: true });
    await mkdir(join(sandbox.folder, "there", "taskonaut"), { recursive: true });
    for (const path of ["there", "there/taskonaut"]) await chmod(join(sandbox.folder, path), 0o755);
    expect(await run(join(sandbox.folder, "there"))).toEqual([
      "755 there",
      "755 there/taskonaut",
      "600 there/taskonaut/taskonaut.db",
    ]);
  });

  test("is made by what creates tasks alone: all else says that it is not there, and how to make it", async () => {
    await using sandbox = await openSandbox();
    const id = "019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071";
    const commands = [
      ["get-tasks"],
      ["get-task", id],
      ["workers"],
      ["run-task", id],
      ["advance-task", id],
      ["signal-task", id, "s"],
      ["cancel-task", id],
      ["retry-task", id],
      ["resume-task", id],
      ["resolve", id, "--retry"],
      ["schedules"],
      ["schedules", "preview", "nightly"],
      ["schedule", "trigger", "nightly"],
      ["get-tasks", "--count"],
      ["watch"],
      ["limits"],
      ["pauses"],
      ["tokens"],
      ["audit-log", "verify"],
      ["purge", "--dry-run"],
      ["retry-tasks", "--all", "--dry-run"],
    ];
    for (const place of [[], ["--database-url", "sqlite:tpyo.db"]]) {
      const path = join(sandbox.folder, place.length === 0 ? "taskonaut/taskonaut.db" : "tpyo.db");
      for (const command of commands) {
        const { exit, stdout, stderr } = await sandbox.run([...command, ...place]);
        expect({ command, exit, stdout }).toEqual({ command, exit: 5, stdout: "" });
        expect(stderr).toStartWith(`error: There is no database at ${path}.\nhint: run a flow`);
        expect(stderr).toEndWith(`taskonaut ${["run-flow", ...place].join(" ")}\n`);
      }
    }
    expect(await readdir(sandbox.folder)).toEqual([]);
    taskOf(await sandbox.run(["run-flow"]));
    expect((await sandbox.run(["workers"])).stdout).toBe("[]\n");
    const add = ["schedule", "add", "hourly", "--flow", "echo_add", "--every", "1h"];
    expect((await sandbox.run([...add, "--database-url", "sqlite:added.db"])).exit).toBe(0);
  });

  test("follows XDG_DATA_HOME, and without it the home", async () => {
    await using sandbox = await openSandbox();
    const cases: [env: Record<string, string>, path: string][] = [
      [{ XDG_DATA_HOME: join(sandbox.folder, "a", "b") }, "a/b/taskonaut/taskonaut.db"],
      [{ XDG_DATA_HOME: "" }, ".local/share/taskonaut/taskonaut.db"],
      [{ XDG_DATA_HOME: "relative", HOME: join(sandbox.folder, "me") }, "me/.local/share/taskonaut/taskonaut.db"],
    ];
    for (const [env, path] of cases) {
      taskOf(await sandbox.run(["run-flow"], { env }));
      expect([path, existsSync(join(sandbox.folder, path))]).toEqual([path, true]);
    }
    expect(existsSync(join(sandbox.folder, "relative"))).toBe(false);
  });

  test("is at the path that the URL names, seen from the current folder", async () => {
    await using sandbox = await openSandbox();
    const work = join(sandbox.folder, "work");
    await mkdir(work);
    const forms = [
      "sqlite:tasks.db",
      "sqlite:sub/folder/tasks.db",
      "sqlite:../tasks.db",
      `sqlite://${work}/absolute.db`,
    ];
    for (const url of forms) taskOf(await sandbox.run(["run-flow"], { cwd: work, env: { DATABASE_URL: url } }));
    for (const path of ["work/tasks.db", "work/sub/folder/tasks.db", "tasks.db", "work/absolute.db"]) {
      expect([path, existsSync(join(sandbox.folder, path))]).toEqual([path, true]);
    }
    const list = await sandbox.run(["get-tasks"], { env: { DATABASE_URL: "sqlite:work/tasks.db" } });
    expect(JSON.parse(list.stdout)).toHaveLength(1);
  });

  test("is one file, wherever a flow's code goes while it is loaded or while a tool runs", async () => {
    await using sandbox = await openSandbox({ DATABASE_URL: "sqlite:tasks.db" });
    await mkdir(join(sandbox.folder, "elsewhere"));
    await writeFile(join(sandbox.folder, "wanders.ts"), WANDERS);
    const task = taskOf(await sandbox.run(["run-flow", "wanders", "--flows", "wanders.ts"]));
    expect(task.output_payload).toBe(join(sandbox.folder, "elsewhere"));
    const queued = taskOf(await sandbox.run(["run-flow", "wanders", "--flows", "wanders.ts", "--mode", "enqueue"]));
    const worker = sandbox.start(["work", "--flows", "wanders.ts"], { env: { TASKONAUT_LEASE_MS: "1000" } });
    const isEnded = async () => (await sandbox.run(["get-task", queued.id])).stdout.includes('"COMPLETED"');
    while (!(await isEnded()));
    await worker.stop();
    expect(existsSync(join(sandbox.folder, "elsewhere", "tasks.db"))).toBe(false);
  });

  // Only root can be somebody whom the system does not know.
  test.if(process.getuid?.() === 0)(
    "needs no home where a URL names it, and without both says what to set",
    async () => {
      await using sandbox = await openSandbox();
      const homeless = { HOME: "", XDG_DATA_HOME: "" };
      const named = ["--database-url", "sqlite:tasks.db"];
      const program = await binary();
      const nobody = (args: string[]) =>
        Bun.spawnSync(["setpriv", "--reuid=54321", "--clear-groups", program, ...args], {
          cwd: sandbox.folder,
          env: { PATH: "/usr/bin:/bin", ...homeless },
        });
      await chmod(sandbox.folder, 0o777);
      const without = nobody(["run-flow"]);
      expect(without.stderr.toString()).toContain("Set HOME");
      expect(without.exitCode).toBe(2);
      expect(nobody(["run-flow", ...named]).exitCode).toBe(0);
    },
  );

  test("is copied to a file by backup, which on PostgreSQL names the program to use", async () => {
    await using sandbox = await openSandbox();
    const { id } = taskOf(await sandbox.run(["run-flow"]));
    const made = JSON.parse((await sandbox.run(["backup", "copy.db"])).stdout) as unknown;
    expect(made).toMatchObject({ file: join(sandbox.folder, "copy.db"), tasks: 1 });
    expect(taskOf(await sandbox.run(["get-task", id, "--database-url", "sqlite:copy.db"])).id).toBe(id);
    const refused = await sandbox.run(["backup", "other.db", "--database-url", "postgres://me:secret@h/n"]);
    expect([refused.exit, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toContain(
      `pg_dump --format=custom --schema=taskonaut --file=${sandbox.folder}/other.db postgres://me@h/n`,
    );
  });

  test("in memory lasts for one command", async () => {
    await using sandbox = await openSandbox({ DATABASE_URL: "sqlite::memory:" });
    expect(taskOf(await sandbox.run(["run-flow"])).status).toBe("COMPLETED");
    expect((await sandbox.run(["get-tasks"])).stdout).toBe("[]\n");
  });

  test("that cannot be one is refused with 5, and left as it was", async () => {
    await using sandbox = await openSandbox();
    const garbage = "this is no database, but somebody's letter\n".repeat(200);
    await writeFile(join(sandbox.folder, "letter.db"), garbage);
    await mkdir(join(sandbox.folder, "folder.db"));
    const commands = [["run-flow"], ["get-tasks"], ["run-app"], ["migrate"]];
    for (const url of ["sqlite:letter.db", "sqlite:folder.db", "sqlite:letter.db/tasks.db"]) {
      for (const command of commands) {
        const { exit, stdout, stderr } = await sandbox.run([...command, "--database-url", url]);
        expect({ url, command, exit, stdout, message: UNAVAILABLE.test(stderr) || stderr }).toEqual({
          url,
          command,
          exit: 5,
          stdout: "",
          message: true,
        });
      }
    }
    expect(await Bun.file(join(sandbox.folder, "letter.db")).text()).toBe(garbage);
  });

  test("where nobody may write is refused with 5", async () => {
    await using sandbox = await openSandbox();
    let closed = "/proc/self";
    if (process.getuid?.() !== 0 || process.platform !== "linux") {
      closed = join(sandbox.folder, "closed");
      await mkdir(closed, { mode: 0o500 });
    }
    for (const path of [`${closed}/tasks.db`, `${closed}/sub/tasks.db`]) {
      const { exit, stderr } = await sandbox.run(["run-flow", "--database-url", `sqlite:${path}`]);
      expect({ exit, message: UNAVAILABLE.test(stderr) || stderr }).toEqual({ exit: 5, message: true });
      expect(stderr).toContain(path);
    }
  });
});

test("a .env, a bunfig.toml and other files of the current folder have no effect", async () => {
  await using sandbox = await openSandbox();
  const files: Record<string, string> = {
    ".env": "DATABASE_URL=nonsense\nLOG_LEVEL=debug\nTASKONAUT_API_URL=http://127.0.0.1:1\n",
    ".env.local": "DATABASE_URL=nonsense\n",
    ".env.production": "DATABASE_URL=nonsense\n",
    "bunfig.toml": 'preload = ["./preload.ts"]\nlogLevel = "debug"\n[run]\npreload = ["./preload.ts"]\n',
    "preload.ts": 'require("node:fs").writeFileSync("obeyed", ""); process.exit(9);\n',
    "package.json": '{ "name": "stranger", "type": "commonjs", "imports": { "#x": "./preload.ts" } }',
    "tsconfig.json": "{ nonsense",
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(sandbox.folder, name), content);
  const { exit, stderr } = await sandbox.run(["run-flow"]);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  expect(existsSync(join(sandbox.folder, "obeyed"))).toBe(false);
  expect(existsSync(join(sandbox.folder, "taskonaut", "taskonaut.db"))).toBe(true);
});
