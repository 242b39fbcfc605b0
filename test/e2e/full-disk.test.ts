// Output to a disk that is full: /dev/full takes nothing.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { binary } from "./binary.ts";
import { openSandbox } from "./harness.ts";

setDefaultTimeout(60_000);

const through = async (shell: string): Promise<readonly string[]> => ["sh", "-c", shell, await binary()];

describe.skipIf(!existsSync("/dev/full"))("a full disk", () => {
  test("under stdout is told as what it is, and what was done is there", async () => {
    await using sandbox = await openSandbox({}, await through('exec "$0" "$@" >/dev/full'));
    for (const args of [["version"], ["--help"], ["flows", "--json"], ["run-flow", "--a", "2"], ["get-tasks"]]) {
      const { exit, stderr } = await sandbox.run(args);
      expect([args[0], exit]).toEqual([args[0], 5]);
      expect(stderr).toContain("The output cannot be written: the disk is full. What was done stays done.");
    }
    await using heard = await openSandbox({ XDG_DATA_HOME: sandbox.folder });
    const { stdout } = await heard.run(["get-tasks"]);
    expect(JSON.parse(stdout)).toMatchObject([{ status: "COMPLETED", input_payload: { a: 2 } }]);
  });

  test("under stderr changes no exit code", async () => {
    await using sandbox = await openSandbox({}, await through('exec "$0" "$@" 2>/dev/full'));
    expect((await sandbox.run(["run-flow"])).exit).toBe(0);
    expect((await sandbox.run(["get-task", "nope"])).exit).toBe(2);
    expect((await sandbox.run(["get-task", crypto.randomUUID()])).exit).toBe(3);
    expect((await sandbox.run([])).exit).toBe(2);
  });

  test("under a backup is told of the backup, which leaves nothing behind", async () => {
    await using sandbox = await openSandbox();
    await sandbox.run(["run-flow"]);
    // no file may get as large as the copy would be
    const shell = await through('ulimit -f 100; exec "$0" "$@"');
    await using limited = await openSandbox({ XDG_DATA_HOME: sandbox.folder }, shell);
    const { exit, stderr } = await limited.run(["backup", "copy.db"]);
    expect(exit).toBe(2);
    expect(stderr).toContain("The backup cannot be written");
    expect(readdirSync(limited.folder)).toEqual([]);
    expect(existsSync(join(sandbox.folder, "taskonaut", "taskonaut.db"))).toBe(true);
  });
});
