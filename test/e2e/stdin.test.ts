// Data on stdin that no option asks for, with real files, pipes and sockets: it is used or refused, never dropped.

import type { Subprocess } from "bun";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Task } from "../../src/core/api/task.ts";
import { binary } from "./binary.ts";
import { openSandbox, type Sandbox } from "./harness.ts";
import { type Ended, follow, type Started } from "./served.ts";
import { taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

const FLOWS = `
import { defineFlow, waitForSignal } from "taskonaut";
import * as v from "valibot";
const input = v.object({ sku: v.string(), qty: v.optional(v.number(), 1) });
export const order = defineFlow({ name: "order", input, signals: { approved: v.unknown() },
  *run() { return yield* waitForSignal("approved"); } });
`;

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
  await sandbox.write("flows/order.ts", FLOWS);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

type Pipe = "pipe" | "ignore";

/** A shell script in the sandbox, in which `t` is the program. Its stdin is a socket: \`cat |\` makes a pipe of it. */
async function start<In extends Pipe>(script: string, stdin: In): Promise<Subprocess<In, "pipe", "pipe">> {
  const { folder } = sandbox;
  return Bun.spawn(["/bin/sh", "-c", `t() { "$T" "$@"; }; ${script}`], {
    cwd: folder,
    env: { PATH: "/usr/bin:/bin", HOME: folder, XDG_DATA_HOME: folder, LANG: "C.UTF-8", T: await binary() },
    stdin,
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function run(script: string): Promise<Ended> {
  const child = await start(script, "ignore");
  const [exit, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { exit, stdout, stderr };
}

const inputOf = (ended: Ended): unknown => taskOf(ended).input_payload;
const CREATE = "t run-flow order --mode create";
const HELLO = { text: "hello", a: 1, b: 2 };

async function countTasks(): Promise<number> {
  return (JSON.parse((await run("t get-tasks --limit 1000")).stdout) as unknown[]).length;
}

test("a pipe, a file and a here-document give the whole input, however large", async () => {
  await sandbox.write("order.json", '{ "sku": "007", "qty": 2 }\n');
  const given = { sku: "007", qty: 2 };
  expect(inputOf(await run(`cat order.json | ${CREATE}`))).toEqual(given);
  expect(inputOf(await run(`${CREATE} < order.json`))).toEqual(given);
  expect(inputOf(await run(`${CREATE} <<'END'\n{"sku":"007","qty":2}\nEND\n`))).toEqual(given);
  expect(inputOf(await run(`cat order.json | ${CREATE} --input -`))).toEqual(given);
  expect(inputOf(await run(`cat order.json | ${CREATE} --input @/dev/stdin`))).toEqual(given);
  expect(JSON.parse((await run("t validate order < order.json")).stdout)).toMatchObject({ input: given });

  await sandbox.write("large.json", JSON.stringify({ sku: "x".repeat(10_000_000) }));
  const large = await run(`export TASKONAUT_MAX_INPUT_BYTES=20000000; cat large.json | ${CREATE} | wc -c`);
  expect(large.stderr).toBe("");
  expect(Number(large.stdout)).toBeGreaterThan(10_000_000);
});

test("a signal's payload too", async () => {
  const { id } = taskOf(await run("t run-flow order --sku A"));
  taskOf(await run(`echo '{"by":"Ada"}' | t signal-task ${id} approved`));
  expect(taskOf(await run(`t run-task ${id}`)).output_payload).toEqual({ by: "Ada" });
});

test.each(["< /dev/null", "<&-", "< empty.json"])("nothing on stdin (%s) is as if there were none", async (from) => {
  await sandbox.write("empty.json", "");
  expect(inputOf(await run(`t run-flow --mode create ${from}`))).toEqual(HELLO);
  const { exit, stderr } = await run(`${CREATE} ${from}`);
  expect(stderr).toContain("sku: required");
  expect(exit).toBe(2);
});

test("a pipe and a socket that end without a byte are as if there were none", async () => {
  expect(inputOf(await run(": | t run-flow --mode create"))).toEqual(HELLO);
  const child = await start("t run-flow --mode create", "pipe");
  await child.stdin.end();
  const [exit, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  expect(inputOf({ exit, stdout, stderr })).toEqual(HELLO);
});

test.each([
  ["echo '{' |", "stdin: Not valid JSON at line 2, column 1"],
  ["echo |", "stdin: Not valid JSON"],
  ["printf '{}\\n{}\\n' |", "stdin: Not valid JSON at line 2, column 1: expected the end of the text"],
  [`printf '"\\377"' |`, "stdin: not UTF-8"],
  ["head -c 70000000 /dev/zero |", "stdin: more than 67108864 bytes"],
])("what is no JSON is refused: %s", async (from, message) => {
  const before = await countTasks();
  const { exit, stdout, stderr } = await run(`${from} ${CREATE}`);
  expect(stderr).toContain(message);
  expect([exit, stdout]).toEqual([2, ""]);
  expect(await countTasks()).toBe(before);
});

test.each([
  ["--sku A --qty 2", "--sku, --qty is given"],
  [`--input '{"sku":"A"}'`, "--input is given"],
  ["--input @order.json", "--input is given"],
])("beside %s data is refused, and stays where it is", async (given, message) => {
  await sandbox.write("order.json", '{"sku":"007"}');
  await sandbox.write("lines.txt", "first\nsecond\n");
  const before = await countTasks();
  const refused = `stdin: has data, but ${message}`;
  // a writer that comes later than the look is not waited for
  const piped = "rm -f written; { cat lines.txt; touch written; } | { until [ -e written ]; do sleep 0.01; done;";
  for (const from of [piped, "{"]) {
    const to = from === "{" ? "} < lines.txt" : "}";
    const { stdout, stderr } = await run(`${from} ${CREATE} ${given}; echo "exit $?"; cat; ${to}`);
    expect(stderr).toContain(refused);
    expect(stdout).toBe("exit 2\nfirst\nsecond\n");
  }
  expect(await countTasks()).toBe(before);
});

test("a loop reads its lines, where stdin is redirected for the program", async () => {
  await sandbox.write("orders.ndjson", '{"sku":"A"}\n{"sku":"B"}\n');
  const loop = `while read -r line; do ${CREATE} --input "$line" </dev/null; done < orders.ndjson`;
  const { exit, stdout } = await run(loop);
  const skus = stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as Task).input_payload);
  expect([exit, skus]).toEqual([
    0,
    [
      { sku: "A", qty: 1 },
      { sku: "B", qty: 1 },
    ],
  ]);
});

test("a command that takes no data leaves stdin alone, also where it is a pipe that stays open", async () => {
  const { id } = taskOf(await run("t run-flow order --sku A"));
  const { stdout } = await run(
    `printf 'one\\ntwo\\n' | { t get-task ${id} >/dev/null; t get-tasks >/dev/null; t run-task ${id} >/dev/null 2>&1; t cancel-task ${id} >/dev/null; cat; }`,
  );
  expect(stdout).toBe("one\ntwo\n");
  const child = await start(`cat | { t get-task ${id} >/dev/null && t run-flow order --sku B --mode create; }`, "pipe");
  let shown = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    shown += decoder.decode(chunk, { stream: true });
    if (shown.endsWith("\n")) break;
  }
  expect((JSON.parse(shown) as Task).input_payload).toEqual({ sku: "B", qty: 1 });
  await child.stdin.end();
  expect(await child.exited).toBe(0);
});

test("a pipe that stays silent is told of after a second; what comes late is used, and in the end it is refused", async () => {
  const waits = /Waiting for data on stdin, at most 10 s: --input is not given, and stdin is an open pipe\./;
  const [late, silent] = await Promise.all([start(`cat | ${CREATE}`, "pipe"), start("cat | t run-flow", "pipe")]);
  const [lateTold, silentTold] = [late, silent].map((child): Started => follow(child, 45_000));
  await Promise.all([lateTold?.see(waits), silentTold?.see(waits)]);
  await late.stdin.write('{"sku":');
  await late.stdin.flush();
  await late.stdin.write('"late"}');
  await late.stdin.end();
  expect(await lateTold?.ended().then((ended) => inputOf(ended))).toEqual({ sku: "late", qty: 1 });
  await silentTold?.see("stdin: nothing came within 10 s, and it is still open; --input - waits");
  await silent.stdin.end();
  expect(await silent.exited).toBe(2);
});

test("the database is not made before it is known what came", async () => {
  await using untouched = await openSandbox();
  expect((await untouched.run(["run-flow"], { stdin: "no JSON" })).exit).toBe(2);
  expect(await Bun.file(join(untouched.folder, "taskonaut", "taskonaut.db")).exists()).toBe(false);
});
