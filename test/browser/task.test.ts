// A task in a real browser: its timeline, and what the buttons do to it.

import { describe, expect } from "bun:test";
import { until } from "../support/until.ts";
import { inBrowser, openPage, useSite } from "./browser.ts";

const site = useSite();

describe("a task in the dashboard", () => {
  inBrowser("that has failed is retried, and the page shows its end by itself", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const id = await site().create("order", { cents: 120 });
    await dashboard.open("/tasks");
    await page.locator("tr", { hasText: "charge: card declined" }).first().waitFor();
    await page.locator(`a[href="/ui/tasks/${id}"]`).click();
    await page.getByRole("button", { name: /1 charge FAILED/ }).click();
    await page.getByText("2 attempts").waitFor();
    await dashboard.picture("task-failed");
    await site().sandbox.write("paid-120", "");
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    await page.getByRole("heading", { name: /order COMPLETED/ }).waitFor();
    expect((await site().taskOf(id)).output_payload).toEqual({ cents: 120 });
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("the command beside a button, pasted as it is, does the same", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const { sandbox } = site();
    const id = await site().create("order", { cents: 1 });
    await dashboard.open(`/tasks/${id}`);
    await page.getByRole("button", { name: "Retry", exact: true }).waitFor();
    const command = (await page.locator(".order code").first().textContent()) ?? "";
    await sandbox.write("paid-1", "");
    const { exit, stderr } = await sandbox.run(command.split(" ").slice(1));
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    await page.getByRole("heading", { name: /order COMPLETED/ }).waitFor();
  });

  inBrowser("takes a signal by a form of its own schema, and a doubt is settled", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const approval = await site().create("approval");
    await dashboard.open(`/tasks/${approval}`);
    await page.getByLabel("by").fill("Ada");
    await page.getByRole("button", { name: "Send approved" }).click();
    await page.getByRole("heading", { name: /approval COMPLETED/ }).waitFor();
    expect((await site().taskOf(approval)).output_payload).toEqual({ by: "Ada" });

    const doubtful = await site().create("doubtful");
    await dashboard.open(`/tasks/${doubtful}`);
    await page.getByRole("button", { name: /1 print IN DOUBT/ }).click();
    await page.getByLabel("It happened, with this output (JSON)").fill('{"pages": 3}');
    await dashboard.picture("task-in-doubt");
    await page.getByRole("button", { name: "It happened", exact: true }).click();
    await page.getByRole("heading", { name: /doubtful COMPLETED/ }).waitFor();
    expect((await site().taskOf(doubtful)).output_payload).toEqual({ pages: 3 });
  });

  inBrowser("is cancelled only after a question was answered", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const id = await site().create("approval");
    await dashboard.open(`/tasks/${id}`);
    await page.getByText("Waits for signal approved").waitFor();
    const cancel = page.getByRole("button", { name: "Cancel", exact: true });
    const [asked] = await Promise.all([dashboard.answer(false), cancel.click()]);
    expect(asked).toBe("Cancel this task? Its cleanup runs, and then it has ended for good.");
    expect((await site().taskOf(id)).status).toBe("WAITING_OBSERVATION");
    await Promise.all([dashboard.answer(true), cancel.click()]);
    await page.getByRole("heading", { name: /approval CANCELLED/ }).waitFor();
  });

  inBrowser("shows what controls there are in the text of others, and none turns its line around", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const odd = "a\u202etxt.\u0007\u009bm";
    const shown = String.raw`a\u202etxt.\u0007\u009bm`;
    const id = await site().create("order", { cents: 77, note: odd, group: odd });
    await site().sandbox.run(["pause", "paused", "--reason", odd]);
    const places: readonly (readonly [path: string, ready: string])[] = [
      ["/tasks", "card declined"],
      [`/tasks/${id}`, shown],
      ["/flows", shown],
      ["/audit", shown],
    ];
    for (const [path, ready] of places) {
      await dashboard.open(path);
      await page.getByText(ready).first().waitFor();
      // attributes that are read as text stand in the markup as well
      const controls = await page.evaluate<readonly string[]>(
        String.raw`[...document.body.outerHTML.matchAll(/[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069].{0,20}/g)].map(String)`,
      );
      expect([path, controls]).toEqual([path, []]);
    }
    await site().sandbox.run(["unpause", "paused"]);
  });

  inBrowser("shows the steps of a child below the step that runs it", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    await dashboard.open(`/tasks/${await site().create("family")}`);
    await page.getByRole("heading", { name: /family FAILED/ }).waitFor();
    await page.getByRole("button", { name: "Steps of the child order" }).click();
    await dashboard.picture("task-child");
    await page
      .locator(".of-child")
      .getByRole("button", { name: /1 charge FAILED/ })
      .click();
    await page.getByRole("complementary", { name: "Step 1" }).getByText("card declined").first().waitFor();
    await page
      .getByRole("link", { name: /family|[0-9a-f-]{36}/ })
      .first()
      .waitFor();
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("shows how far its tool is", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    await dashboard.open(`/tasks/${await site().create("loading")}`);
    await page.getByRole("button", { name: /1 load RUNNING.* 40 %/ }).click();
    await page.getByText("40 of 100 rows").waitFor();
  });

  inBrowser("is forked from a step on, after it was shown what would happen again", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const id = await site().create("order", { cents: 2 });
    await dashboard.open(`/tasks/${id}?step=1`);
    await page.getByText("Fork: a new task from this step on").click();
    await page.getByLabel("Another input").fill('{"cents": 3}');
    await page.getByRole("button", { name: "Show what would happen again" }).click();
    await page.getByText("It takes over 0 steps. What happens again:").waitFor();
    await site().sandbox.write("paid-3", "");
    await page.getByRole("button", { name: "Fork", exact: true }).click();
    await page.getByRole("heading", { name: /order COMPLETED/ }).waitFor();
    await page.getByText('{ "cents": 3 }').waitFor();
    expect(page.url()).not.toContain(id);
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("of thousands of steps reads and makes those that are seen", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const id = await site().create("many");
    await until(async () => (await site().taskOf(id)).status === "COMPLETED", "it has ended");
    let bytes = 0;
    page.on("response", (response) => {
      if (response.url().includes("/tasks/"))
        response.body().then(
          (body) => (bytes += body.length),
          () => {},
        );
    });
    await dashboard.open(`/tasks/${id}`);
    await page.getByRole("button", { name: /^1 one COMPLETED/ }).waitFor();
    expect(await page.locator(".scroller li").count()).toBeLessThan(80);
    await page.evaluate("document.querySelector('.scroller').scrollTop = 1e9");
    await page.getByRole("button", { name: /^5000 one COMPLETED/ }).click();
    await page.getByText("4999", { exact: true }).first().waitFor();
    await dashboard.picture("task-many");
    // all of it is 4 MB
    expect(bytes).toBeLessThan(2_000_000);
  });

  inBrowser("shows a long output part by part, and copies all of it", async () => {
    await using dashboard = await openPage(site(), { permissions: ["clipboard-read", "clipboard-write"] });
    const { page } = dashboard;
    const id = await site().create("long");
    await dashboard.open(`/tasks/${id}`);
    const output = page.locator(".payload", { hasText: "Output" });
    const lengthOf = async (): Promise<number> => ((await output.locator("pre").textContent()) ?? "").length;
    expect(await lengthOf()).toBe(20_000);
    const more = output.getByRole("button", { name: /^Show 100,000 of [\d,]+ characters more$/ });
    await more.click();
    await until(async () => (await lengthOf()) === 120_000, "more of it is shown");
    await output.getByRole("button", { name: "Copy Output" }).click();
    await output.getByText("Copied").waitFor();
    const copied = JSON.parse(await page.evaluate<string>("navigator.clipboard.readText()")) as unknown[];
    expect(copied).toEqual(Array.from({ length: 100_000 }, (_, n) => n));
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("tells the trace that it was created in, and the task that it was forked from", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const { server } = site();
    const post = async (path: string, body: object, headers = {}): Promise<string> => {
      const init = { method: "POST", headers: { "content-type": "application/json", ...headers } };
      const response = await fetch(server.url + path, { ...init, body: JSON.stringify(body) });
      return ((await response.json()) as { readonly id: string }).id;
    };
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const id = await post("/tasks?wait=1m", {}, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
    await dashboard.open(`/tasks/${id}`);
    await page.getByRole("definition").filter({ hasText: traceId }).waitFor();
    const fork = await post(`/tasks/${id}/fork`, { from: 2 });
    await dashboard.open(`/tasks/${fork}`);
    await page.getByRole("link", { name: id }).click();
    await page.getByRole("definition").filter({ hasText: traceId }).waitFor();
  });
});
