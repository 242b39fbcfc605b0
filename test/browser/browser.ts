// Headless Chromium on the dashboard of a server that runs as its users run it. Starting either takes long: a file of tests
// has one browser and one server, and each test a page of its own.

import { afterAll, beforeAll, test } from "bun:test";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { openSandbox, type Sandbox } from "../e2e/harness.ts";
import type { Served } from "../e2e/served.ts";
import { FLOWS } from "./flows.ts";

/** Debian's, or what stands for it. Undefined: this machine has none, and nothing can be looked at here. */
export const CHROMIUM =
  Bun.which("chromium") ?? Bun.which("chromium-browser") ?? Bun.which("google-chrome") ?? undefined;

if (CHROMIUM === undefined) {
  process.stderr.write("The dashboard is not tested: this machine has no Chromium (Debian's package chromium).\n");
}

export const inBrowser = test.skipIf(CHROMIUM === undefined);

/** A screenshot of each view is put there, to be looked at. */
const SCREENSHOTS = process.env["DASHBOARD_PICTURES"];

export interface Site extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly server: Served;
  /** Creates a task that a worker takes at once. Gives its id. */
  create(flow: string, input?: unknown): Promise<string>;
  read(path: string): Promise<unknown>;
  taskOf(id: string): Promise<{ readonly status: string; readonly output_payload: unknown }>;
}

/** A page. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** What the browser complained of: scripts, the content policy, requests that failed. */
  readonly complaints: readonly string[];
  /** Opens a view by its address below /ui. */
  open(path: string): Promise<void>;
  /** For the eye; nothing is done where nobody looks. */
  picture(name: string): Promise<void>;
  /** Says yes, or no, to the next question; gives what was asked. */
  answer(yes: boolean): Promise<string>;
}

let launched: Promise<Browser> | undefined;

/** A server for all tests of the file, and the end of both it and the browser. Call it at the top of the file. */
export function useSite(env?: Readonly<Record<string, string>>): () => Site {
  let site: Site | undefined;
  beforeAll(async () => {
    if (CHROMIUM !== undefined) site = await openSite(env);
  });
  afterAll(async () => {
    await closeBrowser();
    await site?.[Symbol.asyncDispose]();
  });
  return () => {
    if (!site) throw new Error("The server has not been started.");
    return site;
  };
}

/** Use it with `await using`. */
export async function openSite(
  env?: Readonly<Record<string, string>>,
  flows: Readonly<Record<string, string>> = FLOWS,
): Promise<Site> {
  const sandbox = await openSandbox({ TASKONAUT_RETRY_WAIT_MS: "50", TASKONAUT_MAX_STEPS: "6000", ...env });
  try {
    for (const [name, text] of Object.entries(flows)) await sandbox.write(`flows/${name}`, text);
    // PostgreSQL is not migrated by itself
    if (env?.["DATABASE_URL"] !== undefined) await sandbox.run(["migrate"]);
    const server = await sandbox.serve(["--flows", "flows"]);
    const read = async (path: string): Promise<unknown> => (await fetch(server.url + path)).json();
    return {
      sandbox,
      server,
      read,
      taskOf: async (id) => (await read(`/tasks/${id}`)) as { status: string; output_payload: unknown },
      async create(flow, input = {}) {
        const response = await fetch(`${server.url}/flows/${flow}/tasks?start=now`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(input),
        });
        return ((await response.json()) as { readonly id: string }).id;
      },
      [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
    };
  } catch (error) {
    await sandbox[Symbol.asyncDispose]();
    throw error;
  }
}

/** Use it with `await using`. */
export async function openPage(
  { server }: Pick<Site, "server">,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  launched ??= chromium.launch({ ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }), args: ["--no-sandbox"] });
  const context = await (await launched).newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  return {
    page,
    complaints,
    async open(path) {
      await page.goto(`${server.url}/ui${path}`);
    },
    async picture(name) {
      if (SCREENSHOTS !== undefined) await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
    },
    async answer(yes) {
      const dialog = await page.waitForEvent("dialog");
      await (yes ? dialog.accept() : dialog.dismiss());
      return dialog.message();
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

/** A page of a server of its own. */
type Dashboard = OpenPage & Pick<Site, "server" | "sandbox">;

interface DashboardOptions {
  readonly flows?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly width?: number;
  readonly scheme?: "light" | "dark";
}

/** For a test that wants other flows or other settings. Use it with `await using`. */
export async function openDashboard({
  flows,
  env,
  width = 1280,
  scheme = "light",
}: DashboardOptions = {}): Promise<Dashboard> {
  const site = await openSite(env, flows);
  try {
    const shown = await openPage(site, { viewport: { width, height: 800 }, colorScheme: scheme });
    return {
      ...shown,
      server: site.server,
      sandbox: site.sandbox,
      async [Symbol.asyncDispose]() {
        await shown[Symbol.asyncDispose]();
        await site[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await site[Symbol.asyncDispose]();
    throw error;
  }
}

/** The next page that is opened starts another one. */
export async function closeBrowser(): Promise<void> {
  const browser = await launched;
  launched = undefined;
  await browser?.close();
}
