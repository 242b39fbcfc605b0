// The dashboard in a real browser: what its readers see and do, and what that does to the tasks.

import { afterAll, describe, expect, test } from "bun:test";
import axe from "axe-core";
import { until } from "../support/until.ts";
import { CHROMIUM, closeBrowser, type Dashboard, openDashboard } from "./browser.ts";

if (CHROMIUM === undefined) {
  process.stderr.write("The dashboard is not tested: this machine has no Chromium (Debian's package chromium).\n");
}

const inBrowser = test.skipIf(CHROMIUM === undefined);

afterAll(closeBrowser);

const ORDER = `
  import { existsSync } from "node:fs";
  import { call, defineFlow, defineTool, waitForSignal } from "taskonaut";
  import * as v from "valibot";
  const charge = defineTool({
    name: "charge", input: v.object({ cents: v.number() }), output: v.object({ cents: v.number() }),
    retry: { attempts: 2, base: "1ms" },
    run({ cents }) {
      if (!existsSync("paid-up")) throw new Error("card declined");
      return { cents };
    },
  });
  const print = defineTool({
    name: "print", execution: "at-most-once", input: v.object({}), output: v.object({ pages: v.number() }), timeout: "50ms",
    async run() { await Bun.sleep(60_000); return { pages: 1 }; },
  });
  export const order = defineFlow({
    name: "order", description: "Charges an order.", tags: ({ cents }) => ({ size: cents > 100 ? "large" : "small" }),
    schedules: [{ name: "nightly", cron: "30 2 * * *", timeZone: "Europe/Berlin", input: { cents: 7 } }],
    input: v.object({ cents: v.pipe(v.number(), v.integer()), note: v.optional(v.string(), "none"), rush: v.optional(v.boolean(), false) }),
    *run({ cents }) { return yield* call(charge, { cents }); },
  });
  export const approval = defineFlow({
    name: "approval", input: v.object({}), signals: { approved: v.object({ by: v.string() }) },
    *run() { return yield* waitForSignal("approved"); },
  });
  export const doubtful = defineFlow({ name: "doubtful", input: v.object({}), *run() { return yield* call(print, {}); } });
`;

const FLOWS = { "order.ts": ORDER };

/** Creates a task that a worker takes at once. Gives its id. */
async function create({ server }: Dashboard, flow: string, input: unknown = {}): Promise<string> {
  const response = await fetch(`${server.url}/flows/${flow}/tasks?start=now`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  return ((await response.json()) as { readonly id: string }).id;
}

async function read(
  { server }: Dashboard,
  id: string,
): Promise<{ readonly status: string; readonly output_payload: unknown }> {
  return (await (await fetch(`${server.url}/tasks/${id}`)).json()) as { status: string; output_payload: unknown };
}

describe("the dashboard", () => {
  inBrowser("shows a failed task, retries it, and the page shows its end by itself", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page, sandbox } = dashboard;
    const id = await create(dashboard, "order", { cents: 120 });
    await dashboard.open("/tasks");
    await page.getByText("charge: card declined").waitFor();
    await dashboard.picture("tasks");
    await page.locator(`a[href="/ui/tasks/${id}"]`).click();
    await page.getByRole("button", { name: /1 charge FAILED/ }).click();
    await page.getByText("2 attempts").waitFor();
    await dashboard.picture("task-failed");
    await sandbox.write("paid-up", "");
    await page.getByRole("button", { name: "Retry", exact: true }).click();
    await page.getByRole("heading", { name: /order COMPLETED/ }).waitFor();
    expect((await read(dashboard, id)).output_payload).toEqual({ cents: 120 });
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("the command beside a button, pasted as it is, does the same", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page, sandbox } = dashboard;
    const id = await create(dashboard, "order", { cents: 1 });
    await dashboard.open(`/tasks/${id}`);
    await page.getByRole("button", { name: "Retry", exact: true }).waitFor();
    const command = (await page.locator(".order code").first().textContent()) ?? "";
    await sandbox.write("paid-up", "");
    const { exit, stderr } = await sandbox.run(command.split(" ").slice(1));
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    await page.getByRole("heading", { name: /order COMPLETED/ }).waitFor();
  });

  inBrowser("starts a task by a form of the flow's input, with defaults left to the flow", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page, sandbox } = dashboard;
    await sandbox.write("paid-up", "");
    await dashboard.open("/start/order");
    await page.getByLabel("cents").fill("9007199254740991");
    await page.getByLabel("rush").selectOption("true");
    await dashboard.picture("start");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByRole("heading", { name: /order COMPLETED/ }).waitFor();
    await page.getByText('{ "cents": 9007199254740991, "note": "none", "rush": true }').waitFor();
  });

  inBrowser("tells what the server refuses, field by field, and keeps what was typed", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page } = dashboard;
    await dashboard.open("/start/order");
    await page.getByLabel("cents").fill("1.5");
    await page.getByLabel("note").fill("by hand");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByRole("alert").getByText("cents", { exact: true }).waitFor();
    expect(await page.getByLabel("note").inputValue()).toBe("by hand");
    const tasks = (await (await fetch(`${dashboard.server.url}/tasks`)).json()) as unknown[];
    expect(tasks).toEqual([]);
  });

  inBrowser("sends a signal by a form of its own schema, and settles a doubt", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page } = dashboard;
    const approval = await create(dashboard, "approval");
    await dashboard.open(`/tasks/${approval}`);
    await page.getByLabel("by").fill("Ada");
    await page.getByRole("button", { name: "Send approved" }).click();
    await page.getByRole("heading", { name: /approval COMPLETED/ }).waitFor();
    expect((await read(dashboard, approval)).output_payload).toEqual({ by: "Ada" });

    const doubtful = await create(dashboard, "doubtful");
    await dashboard.open(`/tasks/${doubtful}`);
    await page.getByRole("button", { name: /1 print IN DOUBT/ }).click();
    await page.getByLabel("It happened, with this output (JSON)").fill('{"pages": 3}');
    await dashboard.picture("task-in-doubt");
    await page.getByRole("button", { name: "It happened", exact: true }).click();
    await page.getByRole("heading", { name: /doubtful COMPLETED/ }).waitFor();
    expect((await read(dashboard, doubtful)).output_payload).toEqual({ pages: 3 });
  });

  inBrowser("asks before it cancels, and cancels only then", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page } = dashboard;
    const id = await create(dashboard, "approval");
    await dashboard.open(`/tasks/${id}`);
    await page.getByText("Waits for signal approved").waitFor();
    const asked: string[] = [];
    page.once("dialog", (dialog) => {
      asked.push(dialog.message());
      dialog.dismiss().catch(() => {});
    });
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    expect(asked).toEqual(["Cancel this task? Its cleanup runs, and then it has ended for good."]);
    expect((await read(dashboard, id)).status).toBe("WAITING_OBSERVATION");
    page.once("dialog", (dialog) => {
      dialog.accept().catch(() => {});
    });
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("heading", { name: /approval CANCELLED/ }).waitFor();
  });

  inBrowser("acts on all that match a filter, after it was shown how many they are", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page, sandbox } = dashboard;
    const ids = await Promise.all(Array.from({ length: 12 }, (_, n) => create(dashboard, "order", { cents: n })));
    await create(dashboard, "order", { cents: 500 });
    await dashboard.open("/tasks?tag=size%3Dsmall&status=FAILED");
    await until(async () => (await page.locator(".tasks tbody tr").count()) === 12, "all have failed");
    await sandbox.write("paid-up", "");
    await page.getByRole("button", { name: "Retry…" }).click();
    await page.getByText("12 tasks would be retried, among them").waitFor();
    await dashboard.picture("bulk");
    await page.getByRole("button", { name: "Retry 12", exact: true }).click();
    await page.getByRole("heading", { name: /taskonaut.bulk COMPLETED/ }).waitFor();
    await until(async () => {
      const tasks = await Promise.all(ids.map((id) => read(dashboard, id)));
      return tasks.every(({ status }) => status === "COMPLETED");
    }, "all were retried");
    await dashboard.open("/tasks");
    await page.getByRole("link", { name: "1 failed" }).click();
    await page.getByText("charge: card declined").waitFor();
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("pauses a flow with a reason, and shows it where it holds something back", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page, sandbox } = dashboard;
    await sandbox.write("paid-up", "");
    await dashboard.open("/flows");
    await page.getByRole("button", { name: "Pause order" }).click();
    await page.getByLabel("Reason").fill("the bank is down");
    page.once("dialog", (dialog) => {
      dialog.accept().catch(() => {});
    });
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByText("The flow order is paused").waitFor();
    await dashboard.picture("paused");
    const id = await create(dashboard, "order", { cents: 1 });
    await dashboard.open(`/tasks/${id}`);
    await page.getByText("Waits for the end of a pause: the bank is down").waitFor();
    await dashboard.open("/flows");
    await page.getByRole("button", { name: "Unpause" }).click();
    await dashboard.open(`/tasks/${id}`);
    await page.getByRole("heading", { name: /order COMPLETED/ }).waitFor();
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("shows a schedule with its next times in both zones, and runs it now", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page } = dashboard;
    await dashboard.open("/schedules");
    await page.getByRole("link", { name: "nightly" }).click();
    await page.getByText("30 2 * * * (Europe/Berlin)").waitFor();
    await until(async () => (await page.locator(".times li").count()) === 10, "ten times are shown");
    page.once("dialog", (dialog) => {
      dialog.accept().catch(() => {});
    });
    await page.getByRole("button", { name: "Run now" }).click();
    await page.getByRole("heading", { name: /order FAILED/ }).waitFor();
    await page.getByText('{ "cents": 7,').waitFor();
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("tells of a lost connection, keeps what was typed, and heals", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page, sandbox, server } = dashboard;
    const id = await create(dashboard, "approval");
    await dashboard.open(`/tasks/${id}`);
    await page.getByLabel("by").fill("Ada");
    await server.stop("SIGKILL");
    await page.getByText("The server has not answered since").waitFor();
    expect(await page.getByLabel("by").inputValue()).toBe("Ada");
    await sandbox.serve(["--flows", "flows", "--port", new URL(server.url).port]);
    await page.getByText("The server has not answered since").waitFor({ state: "detached" });
    expect(await page.getByLabel("by").inputValue()).toBe("Ada");
    await page.getByRole("button", { name: "Send approved" }).click();
    await page.getByRole("heading", { name: /approval COMPLETED/ }).waitFor();
  });

  inBrowser("of a server with a token it shows nothing but the form for one", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS, env: { TASKONAUT_API_TOKEN: "let-me-in" } });
    const { page } = dashboard;
    await dashboard.open("/tasks");
    await page.getByLabel(/wants a token/).fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByLabel(/wants a token/).fill("let-me-in");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("There is no task yet.").waitFor();
    expect(page.url()).not.toContain("let-me-in");
  });

  inBrowser("is used by the keyboard alone", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page } = dashboard;
    const id = await create(dashboard, "order", { cents: 1 });
    await dashboard.open(`/tasks/${id}`);
    await page.getByRole("button", { name: "Retry", exact: true }).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("To the content");
    await page.getByRole("button", { name: /1 charge/ }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Step 1" }).waitFor();
    expect(page.url()).toEndWith("?step=1");
    await page.goBack();
  });

  inBrowser("of a task with thousands of steps it makes the rows that are seen", async () => {
    const many = `
      import { all, call, defineFlow, defineTool } from "taskonaut";
      import * as v from "valibot";
      const one = defineTool({ name: "one", execution: "pure", input: v.number(), output: v.number(), run: (n) => n });
      export default defineFlow({
        name: "many", input: v.object({}),
        *run() { yield* all(Array.from({ length: 5000 }, (_, n) => call(one, n))); return null; },
      });`;
    await using dashboard = await openDashboard({ flows: { "many.ts": many }, env: { TASKONAUT_MAX_STEPS: "5000" } });
    const { page } = dashboard;
    const id = await create(dashboard, "many");
    await dashboard.open(`/tasks/${id}`);
    await page.getByRole("heading", { name: /many COMPLETED/ }).waitFor();
    expect(await page.locator(".scroller li").count()).toBeLessThan(60);
    await page.evaluate("document.querySelector('.scroller').scrollTop = 1e9");
    await page.getByRole("button", { name: /^5000 / }).waitFor();
    await dashboard.picture("task-many");
  });

  inBrowser("the charts show what was counted, in words as well, and load the library only there", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page, server } = dashboard;
    const scripts: string[] = [];
    page.on("request", (request) => {
      if (request.resourceType() === "script") scripts.push(request.url());
    });
    await create(dashboard, "order", { cents: 1 });
    await create(dashboard, "approval");
    await until(async () => {
      const stats = (await (await fetch(`${server.url}/stats`)).json()) as { total: Readonly<Record<string, unknown>> };
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

  describe.each(["light", "dark"] as const)("in %s colors", (scheme) => {
    inBrowser.each([1280, 400])(
      "no view has a serious fault for those who do not see it, at %i pixels",
      async (width) => {
        await using dashboard = await openDashboard({ flows: FLOWS, scheme, width });
        const { page } = dashboard;
        const failed = await create(dashboard, "order", { cents: 1 });
        const waiting = await create(dashboard, "approval");
        const found: unknown[] = [];
        for (const path of [
          "/tasks",
          `/tasks/${failed}?step=1`,
          `/tasks/${waiting}`,
          "/tasks?status=FAILED",
          "/inbox",
          "/start/order",
          "/flows",
          "/schedules",
          "/schedules/nightly",
          "/workers",
          "/charts",
        ]) {
          await dashboard.open(path);
          await page.getByRole("heading", { level: 1 }).waitFor();
          await page.waitForLoadState("networkidle");
          await dashboard.picture(`view${path.replaceAll(/[^a-z]+/g, "-").slice(0, 16)}`);
          // the policy forbids a script that comes from nowhere: the debugger puts this one in
          await page.evaluate(axe.source);
          const { violations } = await page.evaluate<axe.AxeResults>("axe.run()");
          for (const { id, impact, nodes } of violations)
            if (impact === "serious" || impact === "critical") found.push({ path, id, html: nodes[0]?.html });
          const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
          if (overflow !== 0) found.push({ path, overflow });
        }
        expect(found).toEqual([]);
        expect(dashboard.complaints).toEqual([]);
      },
    );
  });
});
