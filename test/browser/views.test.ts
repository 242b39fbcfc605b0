// Each view of the dashboard for those who do not see it, or see it in another way: without a mouse, in the dark, on a phone.

import { describe, expect } from "bun:test";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { until } from "../support/until.ts";
import { FLOWS } from "./flows.ts";
import { inBrowser, type OpenPage, openPage, type Site, useSite } from "./browser.ts";

const site = useSite();

interface View {
  readonly path: string;
  /** What is there once the view has what it shows. */
  readonly shows: string;
}

async function viewsOf(of: Site): Promise<readonly View[]> {
  const [failed, waiting, family, doubtful] = await Promise.all([
    of.create("order", { cents: 1 }),
    of.create("approval"),
    of.create("family"),
    of.create("doubtful"),
    of.create("mailing"),
    of.create("mailing"),
  ]);
  await until(async () => (await of.taskOf(failed)).status === "FAILED", "it has failed");
  // the audit log shows its whole id, and names that do not break
  const ended = await of.create("approval");
  await of.sandbox.run(["cancel-task", ended, "--reason", "nobody_waits_for_it_any_more_says_the_shop"]);
  return [
    { path: "/tasks", shows: ".tasks .state" },
    { path: "/tasks?status=FAILED&flow=order", shows: ".chips" },
    { path: `/tasks/${failed}?step=1`, shows: ".details .payload" },
    { path: `/tasks/${waiting}`, shows: ".field textarea" },
    { path: `/tasks/${family}`, shows: "button.child" },
    { path: `/tasks/${doubtful}?step=1`, shows: ".details textarea" },
    { path: "/inbox", shows: "article .field textarea" },
    { path: "/start/order", shows: ".field input" },
    { path: "/flows", shows: "tbody tr" },
    { path: "/schedules", shows: "tbody tr" },
    { path: "/schedules/nightly", shows: ".times li" },
    { path: "/limits", shows: "article meter, article .uses" },
    { path: "/workers", shows: "tbody tr" },
    { path: "/charts", shows: ".chart canvas" },
    { path: "/audit", shows: "tbody tr" },
    { path: "/api", shows: ".api details" },
    { path: "/api/post_flows_name_tasks_order", shows: ".api form" },
    { path: "/nowhere", shows: "main h1" },
  ];
}

async function faultsOf(dashboard: OpenPage, { path, shows }: View): Promise<readonly unknown[]> {
  const { page } = dashboard;
  await dashboard.open(path);
  await page.locator(shows).first().waitFor();
  // the policy forbids a script that comes from nowhere: the debugger puts this one in
  await page.evaluate(axe.source);
  const found: unknown[] = [];
  for (const width of [1280, 768, 400]) {
    await page.setViewportSize({ width, height: 800 });
    // a chart is drawn anew once it has seen its new size
    await until(async () => (await overflowOf(page)) === 0, `${path} fits into ${width} pixels`);
    for (const scheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await dashboard.picture(`view${path.replaceAll(/[^a-z]+/g, "-").slice(0, 16)}-${scheme}-${width}`);
      // between the two nothing is hidden that one of them shows
      if (width === 768) continue;
      const { violations } = await page.evaluate<axe.AxeResults>("axe.run({ resultTypes: ['violations'] })");
      for (const { id, impact, nodes } of violations)
        if (impact === "serious" || impact === "critical")
          found.push({ path, width, scheme, id, html: nodes[0]?.html });
    }
  }
  return found;
}

async function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
}

describe("the dashboard", () => {
  inBrowser("has no serious fault for those who do not see it, in any view, size and colors", async () => {
    await using dashboard = await openPage(site());
    const found: unknown[] = [];
    const views = await viewsOf(site());
    await dashboard.open("/tasks");
    const links = await dashboard.page.locator('nav[aria-label="Views"] a').all();
    const linked = await Promise.all(links.map((link) => link.getAttribute("href")));
    // none is left out
    expect(linked.filter((href) => !views.some(({ path }) => `/ui${path}` === href))).toEqual(["/ui/start"]);
    for (const view of views) found.push(...(await faultsOf(dashboard, view)));
    expect(found).toEqual([]);
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("says what is not there, with a heading and a way on", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const unknown = "00000000-0000-4000-8000-000000000000";
    const views = [
      [`/tasks/${unknown}`, `Task ${unknown}`, `Task ${unknown} not found`, "Show the tasks"],
      ["/schedules/nowhere", "Schedule nowhere", "nowhere", "Show the schedules"],
      ["/nowhere", "Not found", "There is no view", "Show the tasks"],
      // no part of a URL, as somebody's mail program has cut it
      ["/tasks/%E0%A4%A", "Task %E0%A4%A", "%E0%A4%A", "Show the tasks"],
    ] as const;
    for (const [path, heading, reason, back] of views) {
      expect(await faultsOf(dashboard, { path, shows: "main h1" })).toEqual([]);
      await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
      await page.locator("main p", { hasText: reason }).first().waitFor();
      await page.getByRole("link", { name: back, exact: true }).click();
      await page.getByRole("heading", { level: 1, name: back.replace("Show the ", ""), exact: false }).waitFor();
    }
  });

  inBrowser("is used by the keyboard alone", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const id = await site().create("order", { cents: 1 });
    await dashboard.open(`/tasks/${id}`);
    await page.getByRole("button", { name: "Retry", exact: true }).waitFor();
    await page.keyboard.press("Tab");
    const focused = async (): Promise<unknown> => page.evaluate("document.activeElement.textContent");
    expect(await focused()).toBe("To the content");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.closest('main') !== null")).toBe(true);
    await page.getByRole("button", { name: /1 charge/ }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Step 1" }).waitFor();
    expect(page.url()).toEndWith("?step=1");
  });

  inBrowser("after a click on a link the focus is at the top of the new view", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    await dashboard.open("/tasks");
    await page.getByRole("link", { name: "Workers" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Workers" }).waitFor();
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    expect(await page.title()).toBe("Workers – taskonaut");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Shift+Tab");
    expect(await page.evaluate("document.activeElement.closest('header') !== null")).toBe(true);
  });

  inBrowser("has the scale of a timeline over its bars, with and without the details of a step", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const id = await site().create("order", { cents: 1 });
    for (const width of [1280, 768]) {
      await page.setViewportSize({ width, height: 800 });
      for (const query of ["", "?step=1"]) {
        await dashboard.open(`/tasks/${id}${query}`);
        await page
          .locator(query === "" ? ".piece" : ".details")
          .first()
          .waitFor();
        const ends = await page.evaluate<readonly number[]>(
          "['.scale', '.track'].map((of) => document.querySelector(of).getBoundingClientRect()).flatMap(({ left, right }) => [left, right].map(Math.round))",
        );
        expect([width, query, ...ends.slice(0, 2)]).toEqual([width, query, ...ends.slice(2)]);
      }
    }
  });

  inBrowser("moves nothing for those who want less motion", async () => {
    await using dashboard = await openPage(site(), { reducedMotion: "reduce" });
    const { page } = dashboard;
    await dashboard.open(`/tasks/${await site().create("loading")}`);
    await page.locator(".piece.busy").waitFor();
    expect(await page.evaluate("getComputedStyle(document.querySelector('.piece.busy')).transitionDuration")).toBe(
      "0s",
    );
  });

  inBrowser("tells the code of the workers' flows, and where one has other code than the rest", async () => {
    await using dashboard = await openPage(site());
    const { page } = dashboard;
    const { sandbox } = site();
    await dashboard.open("/workers");
    const others = page.getByText("other workers have other code");
    await page.getByRole("listitem").filter({ hasText: "order" }).first().waitFor();
    expect(await others.count()).toBe(0);
    const [first] = (await site().read("/workers")) as readonly { readonly codes: Readonly<Record<string, string>> }[];
    expect(await page.locator(`code[title$="${first?.codes["order"]}"]`).count()).toBeGreaterThan(0);
    await sandbox.write("changed/order.ts", `${FLOWS["order.ts"]}\n// another line\n`);
    const worker = sandbox.start(["work", "--flows", "changed"]);
    await worker.see("Worker started");
    await others.first().waitFor();
    expect((await worker.stop()).exit).toBe(0);
  });
});
