// Logging in to the dashboard, what each role is offered, and the audit log of what was done there.

import { Database } from "bun:sqlite";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { openSandbox, type Sandbox } from "../e2e/harness.ts";
import type { Served } from "../e2e/served.ts";

const CHROMIUM = Bun.which("chromium") ?? Bun.which("chromium-browser") ?? Bun.which("google-chrome");

const inBrowser = test.skipIf(CHROMIUM === null);

/** A screenshot of each view is put there, to be looked at. */
const PICTURES = process.env["DASHBOARD_PICTURES"];

/** A server of its own for each test: who is logged in, and what the log has, is the whole server's. */
interface Dashboard extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly server: Served;
  readonly page: Page;
  open(path: string): Promise<void>;
  picture(name: string): Promise<void>;
}

let browser: Browser | undefined;

beforeAll(async () => {
  if (CHROMIUM !== null) browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
});

afterAll(async () => {
  await browser?.close();
});

const OWNER = "let-me-in";

const APPROVAL = `
  import { defineFlow, waitForSignal } from "taskonaut";
  import * as v from "valibot";
  export const approval = defineFlow({
    name: "approval", input: v.object({ card: v.string() }), signals: { approved: v.object({ by: v.string() }) },
    *run() { return yield* waitForSignal("approved"); },
  });
`;

async function open(): Promise<Dashboard> {
  if (!browser) throw new Error("There is no browser.");
  const sandbox = await openSandbox({ TASKONAUT_API_TOKEN: OWNER });
  await sandbox.write("flows/approval.ts", APPROVAL);
  const server = await sandbox.serve(["--flows", "flows"]);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  return {
    sandbox,
    server,
    page,
    async open(path) {
      await page.goto(`${server.url}/ui${path}`);
    },
    async picture(name) {
      if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `${name}.png`) });
    },
    async [Symbol.asyncDispose]() {
      await context.close();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

async function post({ server }: Dashboard, path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(server.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${OWNER}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.ok).toBe(true);
  return (await response.json()) as Record<string, unknown>;
}

const create = async (dashboard: Dashboard): Promise<string> =>
  String((await post(dashboard, "/flows/approval/tasks?start=now", { card: "4111 1111" }))["id"]);

async function tokenOf(dashboard: Dashboard, name: string, role: string, more: object = {}): Promise<string> {
  return String((await post(dashboard, "/tokens", { name, role, ...more }))["secret"]);
}

async function logIn({ page }: Dashboard, token: string): Promise<void> {
  const form = page.getByRole("form", { name: "Log in" });
  await form.locator("input").fill(token);
  await form.getByRole("button", { name: "Log in" }).click();
}

describe("the dashboard of a server that wants a token", () => {
  inBrowser("is shown to who logs in, acts in his name, and is shut when he logs out", async () => {
    await using dashboard = await open();
    const { page } = dashboard;
    const id = await create(dashboard);
    const token = await tokenOf(dashboard, "Ada", "operator");
    await dashboard.open(`/tasks/${id}`);
    await dashboard.picture("login");
    await logIn(dashboard, "wrong");
    await page.getByText("This token is not one of this server's").waitFor();
    await logIn(dashboard, token);
    await page.getByRole("heading", { name: /approval/ }).waitFor();
    await page.getByRole("group", { name: "Who is logged in" }).getByText("operator").waitFor();
    await dashboard.picture("logged-in");
    // no script has the session, and nobody the token
    const cookies = await page.context().cookies();
    expect(cookies).toMatchObject([{ httpOnly: true, sameSite: "Strict", path: "/" }]);
    expect(await page.evaluate("document.cookie + JSON.stringify(sessionStorage) + JSON.stringify(localStorage)")).toBe(
      "{}{}",
    );
    expect(cookies[0]?.value).not.toContain(token);
    page.on("dialog", (dialog) => {
      dialog.accept().catch(() => {});
    });
    await page.getByLabel("Reason, for the audit log").fill("größer als 100 %");
    await page.getByText(`cancel-task ${id} --reason 'größer als 100 %'`).waitFor();
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("heading", { name: /CANCELLED/ }).waitFor();
    // what the page shows of others has the name as well
    await dashboard.open("/flows");
    await page.getByRole("button", { name: "Pause approval" }).click();
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByText(/The flow approval is paused by Ada,/).waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("form", { name: "Log in" }).waitFor();
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.getByText("approval").count()).toBe(0);
    const log = await dashboard.sandbox.run(["audit-log", "--who", "Ada"]);
    expect(JSON.parse(log.stdout)).toMatchObject([
      { action: "log out", way: "dashboard" },
      { action: "pause", way: "dashboard", after: { by: "Ada" } },
      {
        action: "cancel-task",
        way: "dashboard",
        target: { kind: "task", id },
        role: "operator",
        address: "127.0.0.1",
        reason: "größer als 100 %",
      },
      { action: "log in", way: "dashboard" },
    ]);
  });

  inBrowser("hears of events after a login, as a page that was open before", async () => {
    await using dashboard = await open();
    const { page } = dashboard;
    const id = await create(dashboard);
    const token = await tokenOf(dashboard, "Ada", "operator");
    await dashboard.open(`/tasks/${id}`);
    const form = page.getByRole("form", { name: "Log in" });
    await form.waitFor();
    // nobody types elsewhere: the field has the focus
    await page.locator("input[type=password]:focus").waitFor();
    const isHeard = page.waitForResponse((response) => response.url().endsWith("/events") && response.ok());
    await logIn(dashboard, token);
    await isHeard;
    await form.waitFor({ state: "detached" });
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
  });

  inBrowser("keeps what was typed when the token is revoked, for the same user alone", async () => {
    await using dashboard = await open();
    const { page } = dashboard;
    const id = await create(dashboard);
    const form = page.getByRole("form", { name: "Log in" });
    const revoke = async (name: string): Promise<void> => {
      const list = await fetch(`${dashboard.server.url}/tokens`, { headers: { authorization: `Bearer ${OWNER}` } });
      const tokens = (await list.json()) as readonly { readonly id: string; readonly name: string }[];
      for (const token of tokens) if (token.name === name) await post(dashboard, `/tokens/${token.id}/revoke`, {});
    };
    const first = await tokenOf(dashboard, "Ada", "operator");
    await dashboard.open(`/tasks/${id}`);
    await logIn(dashboard, first);
    await page.getByLabel("by").pressSequentially("Ada");
    await revoke("Ada");
    // the form shows by itself, and does not take the focus from the field
    await form.waitFor();
    await page.keyboard.type(" L.");
    expect(await page.getByLabel("by").inputValue()).toBe("Ada L.");
    await logIn(dashboard, await tokenOf(dashboard, "Ada", "operator"));
    await form.waitFor({ state: "detached" });
    expect(await page.getByLabel("by").inputValue()).toBe("Ada L.");
    await revoke("Ada");
    await form.waitFor();
    await page.getByText("4111 1111").waitFor();
    // what Ada saw and typed is not Bob's
    await logIn(dashboard, await tokenOf(dashboard, "Bob", "viewer", { hides_payloads: true }));
    await page.getByText("Inputs and outputs are hidden from your token.").waitFor();
    await page.getByText("4111 1111").waitFor({ state: "detached" });
    await dashboard.open(`/tasks/${id}`);
    await page.getByRole("heading", { name: /approval/ }).waitFor();
    expect(await page.getByText("Ada L.").count()).toBe(0);
  });

  inBrowser("offers a viewer nothing to act with, and says that payloads are hidden", async () => {
    await using dashboard = await open();
    const { page } = dashboard;
    const id = await create(dashboard);
    await dashboard.open(`/tasks/${id}`);
    await logIn(dashboard, await tokenOf(dashboard, "Bob", "viewer", { hides_payloads: true }));
    await page.getByRole("heading", { name: /approval/ }).waitFor();
    await page.getByText("payloads are hidden").waitFor();
    expect(await page.getByText("4111 1111").count()).toBe(0);
    for (const name of ["Cancel", "Send approved"]) expect(await page.getByRole("button", { name }).count()).toBe(0);
    for (const name of ["Start", "Audit"]) {
      expect(await page.getByRole("link", { name, exact: true }).count()).toBe(0);
    }
    await page.getByText("Inputs and outputs are hidden from your token.").waitFor();
    expect(await page.getByRole("heading", { name: /^Input/ }).count()).toBe(0);
    // nor a call that this role may not send; what it may, it sends
    await dashboard.open("/api/post_tasks_id_cancel");
    await page.getByText("Your role (viewer) may not send this.").waitFor();
    expect(await page.getByRole("button", { name: "Send", exact: true }).count()).toBe(0);
    await dashboard.open("/api/get_tasks_id");
    await page.getByRole("button", { name: "Send", exact: true }).waitFor();
    // what is not offered is refused as well
    const status = await page.evaluate(`fetch("/tasks/${id}/cancel", { method: "POST" }).then((r) => r.status)`);
    expect(status).toBe(403);
    await dashboard.picture("viewer");
  });

  inBrowser("shows an admin the audit log, its filters, and whether somebody altered it", async () => {
    await using dashboard = await open();
    const { page, sandbox } = dashboard;
    const id = await create(dashboard);
    await tokenOf(dashboard, "Bob", "viewer");
    await post(dashboard, `/tasks/${id}/signals/approved`, { by: "Ada" });
    await dashboard.open("/audit");
    await logIn(dashboard, OWNER);
    await page.getByRole("cell", { name: "signal-task" }).waitFor();
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText(/entries are as written/).waitFor();
    await dashboard.picture("audit");
    await page.getByLabel("Action").fill("tokens create");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/action=tokens/);
    await page.getByRole("cell", { name: "tokens create" }).waitFor();
    await page.getByRole("cell", { name: "signal-task" }).waitFor({ state: "detached" });
    await page.getByText("taskonaut audit-log --action 'tokens create'").waitFor();
    const database = new Database(join(sandbox.folder, "taskonaut", "taskonaut.db"));
    database.run("pragma busy_timeout = 10000"); // the server writes to the file now and then
    database.run("update audit_log set who = 'Eve' where seq = 1");
    database.close();
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("entry 1 was changed").waitFor();
    // a task tells who has acted on it
    await dashboard.open(`/tasks/${id}`);
    await page.getByRole("heading", { name: "Who has acted on it" }).waitFor();
    await page.getByRole("cell", { name: "signal-task" }).waitFor();
  });
});
