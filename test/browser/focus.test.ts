// Where the keyboard stands: it never falls off the page when something opens, closes, is done, or goes.

import { describe, expect } from "bun:test";
import type { Page } from "playwright-core";
import { until } from "../support/until.ts";
import { inBrowser, openPage, useSite } from "./browser.ts";

const site = useSite();

/** The name of what has the focus, as far as it tells. */
async function focused(page: Page): Promise<string> {
  return page.evaluate<string>(`(() => {
    const { activeElement: at } = document;
    return at.getAttribute("aria-label") ?? (at.labels?.[0] ?? at).textContent.trim() ?? at.tagName;
  })()`);
}

describe("by the keyboard alone", () => {
  inBrowser("a step is opened, read, and left with Escape, and the focus is at its row again", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const id = await site().create("order", { cents: 1 });
    await dashboard.open(`/tasks/${id}`);
    const row = page.getByRole("button", { name: /1 charge FAILED/ });
    await row.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Step 1" }).waitFor();
    expect(await focused(page)).toBe("Step 1");
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Close the step");
    await page.keyboard.press("Escape");
    await page.getByRole("complementary", { name: "Step 1" }).waitFor({ state: "detached" });
    await page.locator("button.step:focus", { hasText: "charge" }).waitFor();
    // whoever opens the address of a step begins at the top
    await dashboard.open(`/tasks/${id}?step=1`);
    await page.getByRole("complementary", { name: "Step 1" }).waitFor();
    expect(await page.evaluate("document.activeElement === document.body")).toBe(true);
  });

  inBrowser("a form behind a button takes the focus, and gives it back", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    await site().create("mailing");
    for (const [path, button, field] of [
      ["/limits", "Change mail_server", "At once"],
      ["/flows", "Pause approval", "Reason"],
    ] as const) {
      await dashboard.open(path);
      const opener = page.getByRole("button", { name: button });
      await opener.focus();
      await page.keyboard.press("Enter");
      await until(async () => (await focused(page)) === field, `${path}: the form has the focus`);
      await page.keyboard.press("Escape");
      await until(async () => (await focused(page)) === button, `${path}: the button has the focus again`);
      await opener.press("Enter");
      await page.getByRole("button", { name: "Leave it" }).press("Enter");
      await until(async () => (await focused(page)) === button, `${path}: and after it was left`);
    }
  });

  inBrowser("an action that is refused keeps the focus, and one that is done hands it to the view", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const id = await site().create("order", { cents: 31 });
    await dashboard.open(`/tasks/${id}`);
    const retry = page.getByRole("button", { name: "Retry", exact: true });
    const path = `${site().server.url}/tasks/${id}/retry`;
    await page.route(path, (route) => route.abort());
    await retry.press("Enter");
    await page.getByText("The server did not answer: it may have been done").waitFor();
    expect(await focused(page)).toBe("Retry");
    await page.unroute(path);
    await site().sandbox.write("paid-31", "");
    await retry.press("Enter");
    await page.getByRole("heading", { name: /order COMPLETED/ }).waitFor();
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
  });

  inBrowser(
    "a filter with fixed choices takes any of them, and one that is removed leaves the focus there",
    async () => {
      await using dashboard = await openPage(site());
      const { page } = dashboard;
      await dashboard.open("/tasks");
      await page.getByLabel("Filter by").selectOption("status");
      const choice = page.locator(".filters select").nth(1);
      await choice.focus();
      for (let presses = 0; presses < 5; presses++) await page.keyboard.press("ArrowDown");
      expect(await choice.inputValue()).toBe("FAILED");
      expect(new URL(page.url()).search).toBe("");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: "Without status FAILED" }).press("Enter");
      await page.getByRole("button", { name: "Without status FAILED" }).waitFor({ state: "detached" });
      expect(await focused(page)).toStartWith("Filter by");
    },
  );

  inBrowser("of a lost connection a screen reader hears once, not every second", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    await dashboard.open("/workers");
    await page.getByText("alive").first().waitFor();
    const region = page.getByRole("status");
    expect(await region.textContent()).toBe("");
    const texts = await page.evaluateHandle<string[]>(`(() => {
      const texts = [];
      const region = document.querySelector("[role=status]");
      new MutationObserver(() => texts.push(region.textContent)).observe(region, { subtree: true, childList: true, characterData: true });
      return texts;
    })()`);
    await page.route(`${site().server.url}/**`, (route) => route.abort());
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    // the time beside it goes on
    await page.getByText("2.0 s").or(page.getByText("2.")).first().waitFor();
    expect(await texts.jsonValue()).toEqual([
      "The server does not answer. What is shown may be old; the page keeps trying.",
    ]);
  });
});
