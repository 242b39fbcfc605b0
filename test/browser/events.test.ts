// The dashboard hears of what happens, and asks only then.

import { afterAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { until } from "../support/until.ts";
import { CHROMIUM, closeBrowser, openDashboard } from "./browser.ts";

const inBrowser = test.skipIf(CHROMIUM === undefined);

afterAll(closeBrowser);

/** Paths of what the page asks from now on, but for its stream. */
function questionsOf(page: Page): string[] {
  const questions: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname !== "/events") questions.push(pathname);
  });
  return questions;
}

inBrowser(
  "a page asks for nothing while nothing happens, and changes by itself when another process does something",
  async () => {
    await using dashboard = await openDashboard();
    const { page, sandbox } = dashboard;
    await page.clock.install();
    const questions = questionsOf(page);
    await dashboard.open("/tasks");
    // what it asks once more when it has begun to listen is answered by then
    await until(() => questions.filter((path) => path === "/tasks").length >= 2, "it listens");
    await page.waitForLoadState();
    const before = await settled(questions);
    await page.clock.fastForward(20_000);
    expect(await settled(questions)).toBe(before);
    const { exit } = await sandbox.run(["run-flow", "echo_add"]);
    expect(exit).toBe(0);
    await page.getByText("COMPLETED").first().waitFor();
  },
);

/** How many questions there are once no more come within some turns. */
async function settled(questions: readonly string[]): Promise<number> {
  let count = -1;
  await until(async () => {
    const isSame = count === questions.length;
    count = questions.length;
    await fetch("http://127.0.0.1:9/").catch(() => {});
    return isSame;
  });
  return count;
}
