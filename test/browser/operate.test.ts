// What holds tasks back and what starts them, in a real browser: limits, pauses, schedules, the inbox.

import { describe, expect } from "bun:test";
import { until } from "../support/until.ts";
import { inBrowser, openPage, useSite } from "./browser.ts";

const site = useSite();

describe("in the dashboard", () => {
  inBrowser("a limit is shown with its use and who waits for it; it is set and reset", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    for (let n = 0; n < 3; n++) await site().create("mailing");
    await dashboard.open("/limits");
    await page.getByText("2 wait", { exact: true }).waitFor();
    await until(async () => (await page.getByText('blocked by limit "mail_server"').count()) === 2, "two wait");
    await page.getByRole("button", { name: "Change mail_server" }).click();
    await page.getByLabel("Rate").fill("100/1x");
    await page.getByRole("button", { name: "Set", exact: true }).click();
    await page.getByRole("alert").getByText("rate.per", { exact: true }).waitFor();
    await page.getByLabel("Rate").fill("100/1m");
    await page.getByLabel("Reason").fill("a larger plan");
    await dashboard.picture("limits");
    await page.getByRole("button", { name: "Set", exact: true }).click();
    await page.getByText("Set by the dashboard").waitFor();
    const ofLimit = async (): Promise<unknown> =>
      ((await site().read("/limits")) as { name: string; set: unknown }[]).find(({ name }) => name === "mail_server")
        ?.set;
    expect(await ofLimit()).toMatchObject({ rate: { count: 100, per_ms: 60_000 }, reason: "a larger plan" });
    await page.getByText("Nobody waits for a turn.").waitFor();
    await page.getByRole("button", { name: "Back to what the code says" }).click();
    await page.getByText("Set by the dashboard").waitFor({ state: "detached" });
    expect(await ofLimit()).toBeNull();
    expect(dashboard.complaints.filter((each) => !each.includes("422"))).toEqual([]);
  });

  inBrowser("a flow is paused with a reason, which is shown where it holds something back", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    await dashboard.open("/flows");
    await page.getByRole("button", { name: "Pause paused" }).click();
    await page.getByLabel("Reason").fill("the bank is down");
    await Promise.all([dashboard.answer(true), page.getByRole("button", { name: "Pause", exact: true }).click()]);
    await page.getByText("The flow paused is paused").waitFor();
    await dashboard.picture("paused");
    const id = await site().create("paused");
    await dashboard.open(`/tasks/${id}`);
    await page.getByText("Waits for the end of the pause of paused: the bank is down").waitFor();
    await dashboard.open("/flows");
    await page.getByRole("button", { name: "Unpause" }).click();
    await dashboard.open(`/tasks/${id}`);
    await page.getByRole("heading", { name: /paused COMPLETED/ }).waitFor();
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("a schedule is shown with its next times in both zones, and runs now", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    await dashboard.open("/schedules");
    await page.getByRole("link", { name: "nightly" }).click();
    await page.getByText("30 2 * * * (Europe/Berlin)").waitFor();
    await until(async () => (await page.locator(".times li").count()) === 10, "ten times are shown");
    await page.getByRole("button", { name: "Run now" }).click();
    await page.getByRole("heading", { name: /order FAILED/ }).waitFor();
    await page.getByText('{ "cents": 7,').waitFor();
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("a schedule is added, paused with a reason, resumed and removed", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    await dashboard.open("/schedules");
    await page.getByText("Add a schedule").click();
    await page.getByLabel("Name").fill("weekly");
    await page.getByLabel("Flow").selectOption("order");
    await page.getByLabel("Cron").fill("0 8 * * 9");
    await page.getByLabel("cents").fill("12");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("alert").getByText("cron", { exact: true }).waitFor();
    expect(await page.getByLabel("cents").inputValue()).toBe("12");
    await page.getByLabel("Cron").fill("0 8 * * 1");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("0 8 * * 1 (UTC)").waitFor();
    await page.getByLabel("Reason of a pause").fill("holidays");
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByText("holidays", { exact: true }).waitFor();
    await dashboard.picture("schedule-paused");
    expect(await site().read("/schedules/weekly")).toMatchObject({
      input_payload: { cents: 12 },
      pause_reason: "holidays",
    });
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("button", { name: "Pause", exact: true }).waitFor();
    await Promise.all([dashboard.answer(true), page.getByRole("button", { name: "Remove" }).click()]);
    await page.getByRole("link", { name: "nightly" }).waitFor();
    await page.getByRole("link", { name: "weekly" }).waitFor({ state: "detached" });
    expect(await site().read("/schedules/weekly")).toMatchObject({ code: "schedule_not_found" });
  });

  inBrowser("the inbox has what waits for a person, with the forms to see to it", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const waiting = await site().create("approval");
    const doubtful = await site().create("doubtful");
    await dashboard.open("/inbox");
    await page.getByText("Settle step 1 print").click();
    await page.getByLabel("It failed, with this message").fill("the paper is out");
    await dashboard.picture("inbox");
    await page.getByRole("button", { name: "It failed" }).click();
    await until(async () => (await site().taskOf(doubtful)).status === "FAILED", "the doubt is settled");
    await page.getByLabel("by").fill("Ada");
    await page.getByRole("button", { name: "Send approved" }).click();
    await page.getByText("Nothing waits for a person.").waitFor();
    expect((await site().taskOf(waiting)).status).toBe("COMPLETED");
    expect(dashboard.complaints).toEqual([]);
  });
});
