// A process of its own: the console belongs to the whole process.

import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAIN = join(import.meta.dir, "../main.ts");

const FLOW = `
import { call, defineFlow } from "taskonaut";
import nodeConsole from "node:console";
import * as v from "valibot";
const { info } = console;
console.log("at load", { a: 1 });
info("kept");
nodeConsole.debug("of the module");
console.table([{ b: 2 }]);
console.group("group");
console.dir(new Map([[1, new Set([2])]]));
console.groupEnd();
console.write("raw", new TextEncoder().encode(" bytes\\n"));
console.error("an error");
export default defineFlow({
  name: "talks",
  input: v.object({}),
  plan() {
    console.time("t");
    console.log("in the flow", new Date(5));
    console.timeEnd("t");
    return [];
  },
});
`;

test("what flow files say with console goes to stderr: stdout has the data alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "taskonaut-console-"));
  try {
    await Bun.write(join(folder, "flow.ts"), FLOW);
    const child = Bun.spawn([process.execPath, MAIN, "validate", "talks", "--flows", folder], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, exit] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ flow: "talks", steps: [] });
    expect(stderr).toStartWith("at load { a: 1 }\nkept\nof the module\n");
    for (const text of [
      "│    0    │ 2 │",
      "group\n  Map(1) { 1 => Set(1) { 2 } }\nraw bytes\nan error\n",
      "in the flow 1970-01-01T00:00:00.005Z\nt: ",
    ])
      expect(stderr).toContain(text);
  } finally {
    await rm(folder, { recursive: true });
  }
});
