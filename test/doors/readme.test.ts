// The flows that the README and its pages show, as they are printed there.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { openSandbox, type Sandbox } from "../e2e/harness.ts";
import { taskOf } from "../e2e/tasks.ts";

const ROOT = join(import.meta.dir, "../..");

/** The whole flow of the page that explains one line by line asks for a price there. */
const SHOP = "https://prices.example";

let sandbox: Sandbox;
let shop: Bun.Server<undefined>;

beforeAll(async () => {
  sandbox = await openSandbox({}, [process.execPath, join(ROOT, "src/main.ts")]);
  shop = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json({ cents: 500 }) });
  for (const [page, file] of [
    ["README.md", "flows/checkout.ts"],
    ["docs/writing-flows.md", "explained.ts"],
  ] as const) {
    const text = await Bun.file(join(ROOT, page)).text();
    const [, flow = ""] = /```ts\n(.*?)```/s.exec(text) ?? [];
    expect(flow).toContain('name: "checkout"');
    await Bun.write(join(sandbox.folder, file), flow.replace(SHOP, shop.url.origin));
  }
});

afterAll(async () => {
  await shop.stop(true);
  await sandbox[Symbol.asyncDispose]();
});

test("a small order is billed and shipped at once", async () => {
  const task = taskOf(await sandbox.run(["run-flow", "checkout", "--sku", "A1", "--wait"]));
  expect(task).toMatchObject({
    status: "COMPLETED",
    output_payload: { invoice: "invoice for A1, attempt 1", parcel: "1 × A1" },
  });
});

test("a large one waits for somebody's approval first", async () => {
  const task = taskOf(await sandbox.run(["run-flow", "checkout", "--sku", "B22", "--qty", "9"]));
  expect(task.waiting_for).toMatchObject([{ kind: "signal", name: "approved" }]);
  await sandbox.run(["signal-task", task.id, "approved", "--payload", '{"by":"Ada"}']);
  const approved = taskOf(await sandbox.run(["run-task", task.id, "--wait"]));
  expect(approved).toMatchObject({
    status: "COMPLETED",
    output_payload: { invoice: "invoice for B22, attempt 1", parcel: "9 × B22" },
  });
});

test("the one that is explained line by line is billed and shipped, and waits for its hour", async () => {
  const task = taskOf(await sandbox.run(["run-flow", "checkout", "--sku", "tea", "--flows", "explained.ts"]));
  expect(task.waiting_for).toMatchObject([{ kind: "time" }]);
  const done = task.steps.filter(({ status }) => status === "COMPLETED").map(({ step_name }) => step_name);
  expect(done.toSorted()).toEqual(["bill_customer", "get_quote", "ship_parcel"]);
  expect(task.steps).toHaveLength(4);
});
