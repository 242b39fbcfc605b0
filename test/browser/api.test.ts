// The dashboard's view of the API: the document that the server gives, and a form to try each call.

import { afterAll, expect, test } from "bun:test";
import { CHROMIUM, closeBrowser, openDashboard } from "./browser.ts";
import axe from "axe-core";

const inBrowser = test.skipIf(CHROMIUM === undefined);

afterAll(closeBrowser);

const ORDER = `
  import { defineFlow, waitForSignal } from "taskonaut";
  import * as v from "valibot";
  const Line = v.object({ sku: v.string(), lines: v.optional(v.array(v.lazy(() => Line))) });
  export default defineFlow({
    name: "order", description: "Sells something.",
    input: v.object({ sku: v.pipe(v.string(), v.minLength(2)), count: v.optional(v.number(), 1), lines: v.optional(v.array(Line)) }),
    signals: { approved: v.object({ by: v.string() }) },
    *run({ sku }) { yield* waitForSignal("approved"); return sku; },
  });
`;

const FLOWS = { "order.ts": ORDER };

inBrowser("shows each call of this server, and sends it by a form of its own schema", async () => {
  await using dashboard = await openDashboard({ flows: FLOWS });
  const { page, server } = dashboard;
  await dashboard.open("/api");
  await page.getByText("flows", { exact: true }).click();
  await page.getByRole("link", { name: "POST /flows/order/tasks" }).click();
  await page.getByRole("heading", { name: "Creates a task of order" }).waitFor();
  await page.getByLabel("sku", { exact: false }).first().fill("A1");
  await page.getByLabel("count").fill("12345678901234567");
  await page.getByLabel("tag", { exact: false }).first().fill("a=b\nc=d");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  // the server says of a number that it would be rounded; nothing that was typed is lost
  await page.getByRole("heading", { name: "422" }).waitFor();
  await dashboard.picture("api-refused");
  await page.getByLabel("count").fill("2");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("heading", { name: "201" }).waitFor();
  await dashboard.picture("api");
  const [task, ...others] = (await (await fetch(`${server.url}/tasks`)).json()) as {
    readonly id: string;
    readonly input_payload: unknown;
    readonly tags: unknown;
  }[];
  expect(others).toEqual([]);
  expect(task).toMatchObject({ input_payload: { sku: "A1", count: 2 }, tags: { a: "b", c: "d" } });

  // the command beside the button does the same
  const command = (await page.locator(".api .send code").textContent()) ?? "";
  expect(command).toBe(
    `curl -X POST '${server.url}/flows/order/tasks?tag=a%3Db&tag=c%3Dd' -H 'Content-Type: application/json' -d '{"sku": "A1", "count": 2}'`,
  );

  await dashboard.open("/api/post_tasks_id_cancel");
  await page
    .getByLabel("id", { exact: false })
    .first()
    .fill(task?.id ?? "");
  const asked: string[] = [];
  page.once("dialog", (dialog) => {
    asked.push(dialog.message());
    dialog.dismiss().catch(() => {});
  });
  await page.getByRole("button", { name: "Send", exact: true }).click();
  expect(asked).toEqual([`Cancels a task: POST /tasks/${task?.id}/cancel?`]);
  const { status } = (await (await fetch(`${server.url}/tasks/${task?.id}`)).json()) as { status: string };
  expect(status).not.toBe("CANCELLED");
  page.once("dialog", (dialog) => {
    dialog.accept().catch(() => {});
  });
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("heading", { name: "200" }).waitFor();

  await dashboard.open("/api/get_metrics");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.locator(".payload pre").first().getByText("# HELP taskonaut_").waitFor();
  expect(dashboard.complaints.filter((text) => !text.includes("422"))).toEqual([]);
});

inBrowser("sends with the page's own token, and has no fault that axe finds, at 400 px and in the dark", async () => {
  const env = { TASKONAUT_API_TOKEN: "own" };
  await using dashboard = await openDashboard({ flows: FLOWS, env, width: 400, scheme: "dark" });
  const { page } = dashboard;
  await dashboard.open("/api/get_tasks");
  await page.getByLabel(/token/i).fill("own");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("heading", { name: "200" }).waitFor();
  await dashboard.picture("api-list");
  await page.evaluate(axe.source);
  const found = await page.evaluate<{
    violations: { id: string; impact: string; nodes: unknown[] }[];
  }>("axe.run()");
  expect(found.violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);
  const width = await page.evaluate("document.documentElement.scrollWidth");
  expect(width).toBeLessThanOrEqual(400);
});
