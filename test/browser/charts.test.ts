// The charts in a real browser.

import { expect } from "bun:test";
import { until } from "../support/until.ts";
import { inBrowser, openPage, useSite } from "./browser.ts";

const site = useSite();

inBrowser("the charts show what was counted, in words as well, and load the library only there", async () => {
  await using dashboard = await openPage(site());
  const { page } = dashboard;
  const scripts: string[] = [];
  page.on("request", (request) => {
    if (request.resourceType() === "script") scripts.push(request.url());
  });
  await site().create("order", { cents: 1 });
  await site().create("approval");
  await until(async () => {
    const stats = (await site().read("/stats")) as { total: Readonly<Record<string, unknown>> };
    return stats.total["created"] === 2 && stats.total["failed"] === 1;
  }, "both are counted");
  await dashboard.open("/tasks");
  await page.getByRole("heading", { level: 1 }).waitFor();
  const before = scripts.length;
  await page.getByRole("link", { name: "Charts" }).click();
  await page.getByRole("img", { name: /Tasks a minute: 2 created, 0 completed, 1 failed/ }).waitFor();
  await page.getByRole("img", { name: /Wait for a worker: 2 claims, half of them within/ }).waitFor();
  await page.locator(".chart canvas").nth(1).waitFor();
  expect(scripts.length).toBe(before + 1);
  await page.getByText("As a table").click();
  const created = await page.locator("details tbody td:nth-child(2)").allTextContents();
  expect(created.reduce((sum, text) => sum + Number(text), 0)).toBe(2);
  await dashboard.picture("charts");
  await page.getByLabel("Flow").selectOption("approval");
  await page.getByRole("img", { name: /Tasks a minute: 1 created, 0 completed, 0 failed/ }).waitFor();
  expect(new URL(page.url()).search).toBe("?since=1h&flow=approval");
  await page.getByRole("link", { name: "7 days" }).click();
  await page.getByRole("img", { name: /Tasks each 1 h 0 min: 1 created/ }).waitFor();
  expect(dashboard.complaints).toEqual([]);
});
