// What somebody types stays until it is sent: whatever the task, the server or the connection does meanwhile.

import { afterAll, beforeAll, describe, expect } from "bun:test";
import { CHROMIUM, closeBrowser, inBrowser, openPage, openSite, type Site } from "./browser.ts";

// the branch goes on once there is a file `open`
const FLOWS = {
  "both.ts": `
  import { existsSync } from "node:fs";
  import { all, call, defineFlow, defineTool, waitForSignal } from "taskonaut";
  import * as v from "valibot";
  const gate = defineTool({
    name: "gate", input: v.object({ name: v.string() }), output: v.null(), timeout: "1h",
    async run({ name }) { while (!existsSync(name)) await Bun.sleep(10); return null; },
  });
  function* branch(name) {
    yield* waitForSignal("go");
    yield* call(gate, { name });
    yield* waitForSignal("later");
    return null;
  }
  export const both = defineFlow({
    name: "both", input: v.object({ name: v.string() }),
    signals: { approved: v.object({ by: v.string() }), go: v.object({}), later: v.object({}) },
    *run({ name }) { return (yield* all({ approval: waitForSignal("approved"), branch: branch(name) })).approval; },
  });
`,
};

let site: Site | undefined;

beforeAll(async () => {
  if (CHROMIUM !== undefined) site = await openSite({}, FLOWS);
});

afterAll(async () => {
  await closeBrowser();
  await site?.[Symbol.asyncDispose]();
});

function here(): Site {
  if (!site) throw new Error("The server has not been started.");
  return site;
}

async function signal(id: string, name: string): Promise<void> {
  const response = await fetch(`${here().server.url}/tasks/${id}/signals/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  expect(response.status).toBe(200);
}

describe("what is typed", () => {
  inBrowser("into the form of a signal stays while another branch of the task runs", async () => {
    await using dashboard = await openPage(here());
    const { page } = dashboard;
    const id = await here().create("both", { name: "open-1" });
    await dashboard.open(`/tasks/${id}`);
    await page.getByLabel("by").pressSequentially("Ad");
    await signal(id, "go");
    await page.getByRole("heading", { name: /both RUNNING/ }).waitFor();
    // the field has its text and the focus
    await page.keyboard.type("a Lovelace");
    expect(await page.getByLabel("by").inputValue()).toBe("Ada Lovelace");
    await here().sandbox.write("open-1", "");
    await page.getByRole("button", { name: "Send later" }).waitFor();
    expect(await page.getByLabel("by").inputValue()).toBe("Ada Lovelace");
    await page.getByRole("button", { name: "Send approved" }).click();
    await page.getByRole("button", { name: "Send approved" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Send later" }).click();
    await page.getByRole("heading", { name: /both COMPLETED/ }).waitFor();
    expect((await here().taskOf(id)).output_payload).toEqual({ by: "Ada Lovelace" });
    expect(dashboard.complaints).toEqual([]);
  });

  inBrowser("into the inbox stays when the task leaves the inbox, and comes back", async () => {
    await using dashboard = await openPage(here());
    const { page } = dashboard;
    const id = await here().create("both", { name: "open-2" });
    await dashboard.open("/inbox");
    const item = page.getByRole("article").filter({ has: page.locator(`a[href="/ui/tasks/${id}"]`) });
    await item.getByLabel("by").pressSequentially("Ad");
    await signal(id, "go");
    await item.getByText("It is not in the inbox any more").waitFor();
    await page.keyboard.type("a");
    expect(await item.getByLabel("by").inputValue()).toBe("Ada");
    await here().sandbox.write("open-2", "");
    await item.getByText("It is not in the inbox any more").waitFor({ state: "detached" });
    expect(await item.getByLabel("by").inputValue()).toBe("Ada");
    await item.getByRole("button", { name: "Send approved" }).click();
    await item.getByRole("button", { name: "Send approved" }).waitFor({ state: "detached" });
    await signal(id, "later");
    await item.waitFor({ state: "detached" });
    expect((await here().taskOf(id)).output_payload).toEqual({ by: "Ada" });
  });

  inBrowser("is asked for by the form of the signal alone, also if the flow could not be read at first", async () => {
    await using dashboard = await openPage(here());
    const { page } = dashboard;
    const id = await here().create("both", { name: "open-3" });
    let refusals = 0;
    await page.route(`${here().server.url}/flows/both`, async (route) => {
      refusals += 1;
      if (refusals > 1) return route.continue();
      const body = JSON.stringify({ detail: "The database is not there.", code: "database_unavailable" });
      return route.fulfill({ status: 503, contentType: "application/problem+json", body });
    });
    await dashboard.open(`/tasks/${id}`);
    await page.getByRole("group", { name: "Signal approved" }).waitFor();
    expect(await page.getByText("JSON: a text needs quotes").count()).toBe(0);
    await page.getByLabel("by").waitFor();
    // a flow that this server does not know: its form does not change while somebody types into it
    await page.route(`${here().server.url}/flows/both`, (route) =>
      route.fulfill({ status: 404, contentType: "application/problem+json", body: '{"code": "flow_not_found"}' }),
    );
    await page.reload();
    const field = page.getByRole("group", { name: "Signal approved" }).getByRole("textbox");
    await field.fill('{"by": "Bob"}');
    await page.unroute(`${here().server.url}/flows/both`);
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith("/flows/both") && response.ok()),
      page.evaluate("document.dispatchEvent(new Event('visibilitychange'))"),
    ]);
    await answer.finished();
    await page.getByLabel("Filter by").count(); // the page had a turn
    expect(await field.inputValue()).toBe('{"by": "Bob"}');
  });

  inBrowser("is wanted again once a server in trouble answers, in a view that hears of no event", async () => {
    await using dashboard = await openPage(here());
    const { page } = dashboard;
    let refusals = 0;
    await page.route(`${here().server.url}/workers`, async (route) => {
      refusals += 1;
      if (refusals > 1) return route.continue();
      const body = JSON.stringify({ detail: "The database is not there.", code: "database_unavailable" });
      return route.fulfill({ status: 503, contentType: "application/problem+json", body });
    });
    await dashboard.open("/workers");
    await page.getByText("The database is not there.").waitFor();
    await page.getByText("alive").first().waitFor();
    await page.getByText("The database is not there.").waitFor({ state: "detached" });
  });
});
