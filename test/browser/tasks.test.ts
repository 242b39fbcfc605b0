// The list of tasks in a real browser: filters, pages, and what is done to all that match.

import { describe, expect } from "bun:test";
import { until } from "../support/until.ts";
import { inBrowser, openPage, useSite } from "./browser.ts";

const site = useSite();

describe("the list of tasks", () => {
  inBrowser("says that there is none, and shows the first one by itself", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    await dashboard.open("/tasks");
    await page.getByText("There is no task yet.").waitFor();
    await site().create("approval");
    await page.getByText("WAITING for signal approved").waitFor();
    await page.getByRole("link", { name: "Needs a person" }).click();
    await page.getByText("WAITING for signal approved").waitFor();
    await page.getByRole("link", { name: "Failed today" }).click();
    await page.getByText("No task matches.").waitFor();
    await dashboard.picture("tasks-none");
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("is filtered in the words of the command line, and the address is the state", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const id = await site().create("order", { cents: 500, group: "filters" });
    await site().create("order", { cents: 1, group: "filters" });
    await dashboard.open("/tasks");
    const add = async (name: string, value: string): Promise<void> => {
      await page.getByLabel("Filter by").selectOption(name);
      await page.locator(".filters .grows input").fill(value);
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: `Without ${name} ${value}` }).waitFor();
    };
    await add("flow", "order");
    await add("tag", "group=filters");
    await add("error", "declined");
    await until(async () => (await page.locator(".tasks tbody tr").count()) === 2, "both match");
    await add("tag", "size=large");
    await until(async () => (await page.locator(".tasks tbody tr").count()) === 1, "one matches");
    await page.locator(`a[href="/ui/tasks/${id}"]`).waitFor();
    await dashboard.picture("tasks-filtered");
    expect([...new URL(page.url()).searchParams]).toEqual([
      ["flow", "order"],
      ["tag", "group=filters"],
      ["error", "declined"],
      ["tag", "size=large"],
    ]);
    await page.reload();
    await page.locator(`a[href="/ui/tasks/${id}"]`).waitFor();
    await page.getByRole("button", { name: "Without tag size=large" }).click();
    await until(async () => (await page.locator(".tasks tbody tr").count()) === 2, "both match again");
    await page.goBack();
    await until(async () => (await page.locator(".tasks tbody tr").count()) === 1, "one matches again");
    expect(dashboard.complaints).toEqual([]);
    await add("since", "yesterday");
    await page.getByRole("alert").getByText("since", { exact: true }).waitFor();
  });

  inBrowser("acts on all that match, after it was shown how many they are, and shows what came of it", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const numbers = Array.from({ length: 12 }, (_, n) => n + 10);
    const ids = await Promise.all(numbers.map((cents) => site().create("order", { cents, group: "bulk" })));
    await site().create("order", { cents: 600, group: "bulk" });
    await dashboard.open("/tasks?tag=size%3Dsmall&tag=group%3Dbulk&status=FAILED");
    await until(async () => (await page.locator(".tasks tbody tr").count()) === 12, "all have failed");
    for (const cents of numbers) await site().sandbox.write(`paid-${cents}`, "");
    await page.getByRole("button", { name: "Retry…" }).click();
    await page.getByText("12 tasks would be retried, among them").waitFor();
    await page.getByLabel("Reason, for the audit log").fill("the bank is back");
    await dashboard.picture("bulk");
    await page.getByRole("button", { name: "Retry 12", exact: true }).click();
    await page.getByRole("heading", { name: /taskonaut.bulk COMPLETED/ }).waitFor();
    const log = (await site().read("/audit-log?action=retry-tasks")) as { readonly entries: readonly object[] };
    expect(log.entries).toMatchObject([{ way: "dashboard", reason: "the bank is back" }]);
    await page.getByText("12 done of 12").waitFor();
    await dashboard.picture("bulk-done");
    await until(async () => {
      const tasks = await Promise.all(ids.map((id) => site().taskOf(id)));
      return tasks.every(({ status }) => status === "COMPLETED");
    }, "all were retried");
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("sends a signal to all that match", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const ids = await Promise.all([site().create("approval"), site().create("approval")]);
    await dashboard.open("/tasks?flow=approval&waiting-for=signal%3Aapproved");
    await page.getByRole("button", { name: "Signal…" }).click();
    await page.getByLabel("Signal", { exact: true }).fill("approved");
    await page.getByLabel(/^Payload/).fill('{"by": "Ada"}');
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByRole("button", { name: /^Signal \d+$/ }).click();
    await page.getByRole("heading", { name: /taskonaut.bulk COMPLETED/ }).waitFor();
    await until(async () => {
      const tasks = await Promise.all(ids.map((id) => site().taskOf(id)));
      return tasks.every(({ status }) => status === "COMPLETED");
    }, "both were signaled");
  });

  inBrowser("goes on to older tasks page by page", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    await Promise.all(Array.from({ length: 60 }, () => site().create("paused")));
    await dashboard.open("/tasks?flow=paused");
    await until(async () => (await page.locator(".tasks tbody tr").count()) === 50, "a page");
    await page.getByRole("button", { name: "Show older tasks" }).click();
    await until(async () => (await page.locator(".tasks tbody tr").count()) === 60, "the next page");
    expect(await page.getByRole("button", { name: "Show older tasks" }).count()).toBe(0);
    // whoever comes back from one of them is where he was
    const last = page.locator(".tasks tbody tr").nth(58).getByRole("link");
    await last.scrollIntoViewIfNeeded();
    const before = await page.evaluate<number>("scrollY");
    expect(before).toBeGreaterThan(500);
    await last.click();
    await page.getByRole("heading", { name: /paused/ }).waitFor();
    await until(async () => (await page.evaluate("scrollY")) === 0, "a new view begins at its top");
    await page.goBack();
    await until(async () => (await page.evaluate("scrollY")) === before, "the list is where it was");
    expect(await page.locator(".tasks tbody tr").count()).toBe(60);
    await page.goForward();
    await page.getByRole("heading", { name: /paused/ }).waitFor();
    await until(async () => (await page.evaluate("scrollY")) === 0, "so is the task");
    // a list that somebody opens anew begins with its first page
    await page.getByRole("link", { name: "Tasks", exact: true }).click();
    await dashboard.open("/tasks?flow=paused");
    await until(async () => (await page.locator(".tasks tbody tr").count()) === 50, "a page again");
    await page.evaluate("scrollTo(0, 700)");
    await until(async () => (await page.evaluate("history.state?.y")) === 700, "the place is kept");
    await page.reload();
    await until(async () => (await page.evaluate("scrollY")) === 700, "also when the page is loaded anew");
  });
});
