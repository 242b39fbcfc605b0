// A flow's input as flags, through the program.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openSandbox, type Sandbox } from "./harness.ts";
import { taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
  await writeFile(
    join(sandbox.folder, "shop.ts"),
    `import { defineFlow } from "taskonaut";
     import * as v from "valibot";
     const Address = v.object({ zip: v.string(), isHome: v.optional(v.boolean()) });
     const input = v.strictObject({
       sku: v.string(), qty: v.optional(v.pipe(v.number(), v.integer()), 1), gift: v.optional(v.boolean(), true),
       tags: v.optional(v.array(v.string())), address: v.nullish(Address), mode: v.optional(v.picklist(["fast", "slow"])),
       items: v.optional(v.array(v.object({ sku: v.string(), qty: v.number() }))), stock: v.optional(v.record(v.string(), v.number())),
       day: v.optional(v.pipe(v.string(), v.isoDate())), more: v.optional(v.lazy(() => v.array(Address))),
     });
     export const order = defineFlow({ name: "order", input, *run(ctx, given) { return given; } });`,
  );
});
afterAll(() => sandbox[Symbol.asyncDispose]());

const shop = ["--flows", "shop.ts"];

test("flags say all that a contract can hold", async () => {
  const words =
    "order --gift --json --no-address.isHome --address.zip 007 --tags a --tags --b --qty -3 --sku --sku".split(" ");
  const more = ["--items.0.sku=007", "--items.0.qty", "2", '--items.1={"sku":"B","qty":1}', "--stock.A1", "5"];
  const { input_payload } = taskOf(
    await sandbox.run([
      "run-flow",
      ...words,
      ...more,
      "--day",
      "2026-02-28",
      "--more.0.zip=1",
      "--input.mode",
      "fast",
      ...shop,
    ]),
  );
  expect(input_payload).toEqual({
    sku: "--sku",
    qty: -3,
    gift: true,
    tags: ["a", "--b"],
    address: { zip: "007", isHome: false },
    mode: "fast",
    items: [
      { sku: "007", qty: 2 },
      { sku: "B", qty: 1 },
    ],
    stock: { A1: 5 },
    day: "2026-02-28",
    more: [{ zip: "1" }],
  });
});

test("a switch before any option of the program is a switch, also before the one that says where its flow is", async () => {
  for (const words of [
    ["--no-gift", "--flows", "shop.ts", "--mode", "create"],
    ["--no-gift", "--mode", "create", "--flows=shop.ts"],
    ["--flows", "shop.ts", "--mode=create", "--no-gift", "--log-level", "error"],
  ]) {
    const task = taskOf(await sandbox.run(["run-flow", "order", "--sku", "A", ...words]));
    expect([task.status, task.input_payload]).toEqual(["PLANNED", { sku: "A", qty: 1, gift: false }]);
  }
  const { exit, stdout } = await sandbox.run(["run-flow", "order", ...shop, "--gift", "--help"]);
  expect([exit, stdout.includes("taskonaut run-flow")]).toEqual([0, true]);
});

test("every mistake is told at once, touches nothing, and a server's flows are read by their contract too", async () => {
  await using untouched = await openSandbox();
  const wrong = ["--adress.zip", "1", "--qty", "x", "--gift=yes", "--tags.1=b", "--colour"];
  const refused = await untouched.run(["run-flow", "order", ...wrong, "--flows", join(sandbox.folder, "shop.ts")]);
  expect([refused.exit, refused.stdout]).toEqual([2, ""]);
  expect(refused.stderr).toStartWith(
    [
      "error: There are 5 problems with the command line",
      "  --adress.zip: flow order has no such field; did you mean --address.zip?",
      '  --qty: expected an integer, got "x"',
      '  --gift: expected true or false, got "yes"',
      "  --colour: flow order has no such field; its fields are sku, qty, gift, tags, address, mode, items, stock, day, more",
      "  --tags.1: --tags.0 is missing: the places of a list count from 0",
      "hint:",
    ].join("\n"),
  );
  expect(await Array.fromAsync(new Bun.Glob("**").scan({ cwd: untouched.folder, onlyFiles: false }))).toEqual([]);

  const { url } = await sandbox.serve(shop);
  const remote = ["--api-base-url", url];
  const run = await sandbox.run(["run-flow", "order", "--sku", "A", "--gift", ...remote, "--address.zip", "007"]);
  expect(taskOf(run).input_payload).toEqual({ sku: "A", qty: 1, gift: true, address: { zip: "007" } });
  const unknown = await sandbox.run(["run-flow", "order", "--gfit", "--sku", "A", ...remote]);
  expect([unknown.exit, unknown.stderr.split("\n")[0]]).toEqual([
    2,
    "error: --gfit: flow order has no such field; did you mean --gift?",
  ]);
});
