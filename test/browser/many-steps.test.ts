// A task of 20,000 steps on either store: the page reads what it shows, and not the rest. What that takes is counted in
// bytes and rows, which do not depend on the machine.

import { afterAll, describe, expect, test } from "bun:test";
import { until } from "../support/until.ts";
import { testDatabase } from "../support/postgres.ts";
import { CHROMIUM, closeBrowser, openDashboard } from "./browser.ts";

const inBrowser = test.skipIf(CHROMIUM === undefined);

afterAll(closeBrowser);

const STEPS = 20_000;

const FLOWS = {
  "many.ts": `
  import { all, call, defineFlow, defineTool } from "taskonaut";
  import * as v from "valibot";
  const one = defineTool({ name: "one", execution: "pure", input: v.number(), output: v.number(), run: (n) => n });
  export const many = defineFlow({
    name: "many", input: v.object({}),
    *run() { yield* all(Array.from({ length: ${STEPS} }, (_, n) => call(one, n))); return null; },
  });
`,
};

const STORES = [
  ["SQLite", async () => ({ url: undefined, drop: async () => {} })],
  ["PostgreSQL", testDatabase],
] as const;

describe.each(STORES)("a task of 20,000 steps on %s", (_, create) => {
  inBrowser(
    "is opened, and scrolled through, by reading what is seen",
    async () => {
      const database = await create();
      try {
        const env = { TASKONAUT_MAX_STEPS: "50000", ...(database.url !== undefined && { DATABASE_URL: database.url }) };
        await using dashboard = await openDashboard({ flows: FLOWS, env });
        const { page, server } = dashboard;
        const made = await fetch(`${server.url}/flows/many/tasks?start=now`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: "{}",
        });
        const { id } = (await made.json()) as { readonly id: string };
        const read = async (
          query: string,
        ): Promise<{ readonly status: string; readonly steps: readonly unknown[] }> => {
          const text = await (await fetch(`${server.url}/tasks/${id}?${query}`)).text();
          sizes.set(query, text.length);
          return JSON.parse(text) as { status: string; steps: readonly unknown[] };
        };
        const sizes = new Map<string, number>();
        await until(async () => (await read("view=summary&steps=none")).status === "COMPLETED", "it has ended");
        expect((await read("view=summary&steps=10001-10020")).steps).toHaveLength(20);
        expect((await read("steps=20000-20000")).steps).toHaveLength(1);
        expect((await read("view=summary&steps=last")).steps).toHaveLength(1);
        expect(sizes.get("view=summary&steps=none")).toBeLessThan(2000);
        expect(sizes.get("steps=20000-20000")).toBeLessThan(4000);
        expect(sizes.get("view=summary&steps=10001-10020")).toBeLessThan(20 * 1000 + 2000);

        const asked: string[] = [];
        let bytes = 0;
        page.on("response", (response) => {
          const { pathname, search } = new URL(response.url());
          if (!pathname.startsWith("/tasks/")) return;
          asked.push(search);
          response.body().then(
            (body) => (bytes += body.length),
            () => {},
          );
        });
        await dashboard.open(`/tasks/${id}`);
        await page.getByRole("button", { name: /^1 one COMPLETED/ }).waitFor();
        await page.getByRole("heading", { name: "Input" }).waitFor();
        // once more when it has begun to hear of events, as it may have missed one
        expect(asked.length).toBeLessThanOrEqual(4);
        expect(bytes).toBeLessThan(1_000_000);
        expect(await page.locator(".scroller li").count()).toBeLessThan(80);
        const opening = asked.length;
        // scrolled through quickly it reads nothing before it rests
        await page.evaluate(`(async () => {
          const box = document.querySelector(".scroller");
          for (let turn = 1; turn <= 40; turn++) {
            box.scrollTop = (box.scrollHeight * turn) / 40;
            await new Promise((resolve) => requestAnimationFrame(resolve));
          }
        })()`);
        await page.getByRole("button", { name: /^20000 one COMPLETED/ }).click();
        await page
          .getByRole("complementary", { name: "Step 20000" })
          .getByText("19999", { exact: true })
          .first()
          .waitFor();
        expect(asked.length - opening).toBeLessThanOrEqual(6);
        expect(await page.locator(".scroller li").count()).toBeLessThan(80);
        expect(bytes).toBeLessThan(2_500_000); // all of it is 15 MB
      } finally {
        await database.drop();
      }
    },
    120_000,
  );
});
