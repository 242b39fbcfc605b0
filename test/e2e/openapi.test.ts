// What a program of a user's builds on: the OpenAPI document, the types of the flows, and "taskonaut/client".

import { expect, test } from "bun:test";
import { join } from "node:path";
import { openSandbox, type Sandbox } from "./harness.ts";
import { dataOf } from "./served.ts";

const ROOT = join(import.meta.dir, "../..");

const ORDER = `
import { defineFlow, waitForSignal } from "taskonaut";
import * as v from "valibot";
export default defineFlow({
  name: "order",
  description: "Sells one thing.",
  input: v.object({ sku: v.pipe(v.string(), v.minLength(2)), count: v.optional(v.number(), 1) }),
  signals: { approved: v.object({ by: v.string() }) },
  *run({ sku, count }) {
    const { by } = yield* waitForSignal<{ by: string }>("approved");
    return { sku, count, by };
  },
});
`;

const MAIN = `
import { createClient, TaskonautError, type TaskOf } from "taskonaut/client";
import type { Flows } from "./flows.d.ts";
const client = createClient<Flows>({ baseUrl: process.argv[2] ?? "", token: "t" });
const task: TaskOf<Flows, "order"> = await client.createTask("order", { sku: "ab" }, { start: "now", tags: { a: "b" } });
await client.sendSignal(task, "approved", { by: "ada" });
const ended = await client.awaitTask(task.id);
if (ended.flow_name === "order") console.log(JSON.stringify(ended.output_payload));
const sum = await client.runFlow("echo_add", { a: 3 });
console.log(sum.status, (await client.countTasks({ tags: { a: "b" } })).total, (await client.listTasks()).tasks.length);
try {
  await client.createTask("order", { sku: "a" });
} catch (error) {
  if (error instanceof TaskonautError) console.log(error.code, error.errors[0]?.path);
}
`;

const WRONG = `
import { createClient } from "taskonaut/client";
import type { Flows } from "./flows.d.ts";
const client = createClient<Flows>({ baseUrl: "" });
await client.createTask("oder", { sku: "ab" });
await client.createTask("order", { sku: 1 });
await client.createTask("order", {});
await client.sendSignal({ id: "", flow_name: "order" }, "aproved", { by: "ada" });
await client.sendSignal({ id: "", flow_name: "order" }, "approved", { by: 1 });
`;

/** What the compiler says of a file of the sandbox. */
async function compile(sandbox: Sandbox, file: string): Promise<string> {
  const tsc = join(ROOT, "node_modules/typescript/lib/tsc.js");
  const types = ["--types", join(ROOT, "node_modules/bun-types")];
  const options = [
    "--noEmit",
    "--strict",
    "--exactOptionalPropertyTypes",
    "--skipLibCheck",
    "false",
    "--target",
    "esnext",
  ];
  const modules = ["--module", "preserve", "--allowImportingTsExtensions", "--lib", "esnext,dom"];
  const child = Bun.spawn([process.execPath, tsc, "--ignoreConfig", ...options, ...modules, ...types, file], {
    cwd: sandbox.folder,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout] = await Promise.all([child.stdout.text(), child.exited]);
  return stdout;
}

test("the document is the same from the command, from a server, and by way of one; with other flows it is another", async () => {
  await using sandbox = await openSandbox();
  await sandbox.write("flows/order.ts", ORDER);
  const server = await sandbox.serve(["--flows", "flows"]);
  const served: unknown = await (await fetch(`${server.url}/openapi.json`)).json();
  const document = dataOf(await sandbox.run(["openapi", "--flows", "flows"]));
  expect(document).toEqual(served);
  expect(dataOf(await sandbox.run(["openapi", "--api-base-url", server.url]))).toEqual(served);
  expect(document).toMatchObject({ openapi: "3.1.1", paths: { "/flows/order/tasks": {} } });
  const other = await sandbox.write("other/order.ts", ORDER.replaceAll(`"order"`, `"trade"`));
  const traded = dataOf(await sandbox.run(["openapi", "--flows", other]));
  expect(traded).toMatchObject({ paths: { "/flows/trade/tasks": {} } });
  expect(traded).not.toHaveProperty(["paths", "/flows/order/tasks"]);
});

test("a program with taskonaut/client compiles, works, and is told by the compiler what is wrong in it", async () => {
  await using sandbox = await openSandbox({ TASKONAUT_API_TOKEN: "t" });
  await sandbox.write("flows/order.ts", ORDER);
  const server = await sandbox.serve(["--flows", "flows"]);
  const { stdout: types } = await sandbox.run(["types", "--flows", "flows"]);
  expect((await sandbox.run(["types", "--api-base-url", server.url])).stdout).toBe(types);
  await sandbox.write("flows.d.ts", types);
  const written = await sandbox.run(["types", "--client", "node_modules/taskonaut"]);
  expect(written.exit).toBe(0);
  // once more: it is written anew
  expect((await sandbox.run(["types", "--client", "node_modules/taskonaut"])).exit).toBe(0);
  await sandbox.write("main.ts", MAIN);
  await sandbox.write("wrong.ts", WRONG);
  expect(await compile(sandbox, "main.ts")).toBe("");
  const said = await compile(sandbox, "wrong.ts");
  expect([...(said.match(/wrong\.ts\(\d+/g) ?? [])]).toEqual([5, 6, 7, 8, 9].map((line) => `wrong.ts(${line}`));
  expect(said).toContain(`'"oder"' is not assignable to parameter of type '"echo_add" | "order"'`);
  const run = Bun.spawn([process.execPath, "main.ts", server.url], {
    cwd: sandbox.folder,
    stdout: "pipe",
    stderr: "inherit",
  });
  expect(await run.stdout.text()).toBe(`{"sku":"ab","count":1,"by":"ada"}\nCOMPLETED 1 2\ninput_invalid sku\n`);
  // what it is made of is there in every runtime
  const code = await Bun.file(join(sandbox.folder, "node_modules/taskonaut/client.js")).text();
  expect(code).not.toMatch(/\bBun\.|\bnode:|\brequire\(/);
});

test("the package is not written over a project", async () => {
  await using sandbox = await openSandbox();
  const path = await sandbox.write("package.json", `{"name": "mine"}`);
  const { exit, stderr } = await sandbox.run(["types", "--client", "."]);
  expect(exit).toBe(2);
  expect(stderr).toContain(
    ". has a package.json of something else. Take a folder of its own, such as vendor/taskonaut.",
  );
  expect(await Bun.file(path).text()).toBe(`{"name": "mine"}`);
});
