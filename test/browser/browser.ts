// Headless Chromium on the dashboard of a server that runs as its users run it.

import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { openSandbox, type Sandbox } from "../e2e/harness.ts";
import type { Served } from "../e2e/served.ts";

/** Debian's, or what stands for it. Undefined: this machine has none, and nothing can be looked at here. */
export const CHROMIUM =
  Bun.which("chromium") ?? Bun.which("chromium-browser") ?? Bun.which("google-chrome") ?? undefined;

/** A screenshot of each view is put there, to be looked at. */
const SCREENSHOTS = process.env["DASHBOARD_PICTURES"];

export interface Dashboard extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly server: Served;
  readonly page: Page;
  /** What the browser complained of: scripts, the content policy, requests that failed. */
  readonly complaints: readonly string[];
  /** Opens a view by its address below /ui. */
  open(path: string): Promise<void>;
  /** For the eye; nothing is done where nobody looks. */
  picture(name: string): Promise<void>;
}

export interface DashboardOptions {
  readonly flows?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly width?: number;
  readonly scheme?: "light" | "dark";
}

let launched: Promise<Browser> | undefined;

/** Use it with `await using`. */
export async function openDashboard({
  flows = {},
  env,
  width = 1280,
  scheme = "light",
}: DashboardOptions = {}): Promise<Dashboard> {
  launched ??= chromium.launch({ ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }), args: ["--no-sandbox"] });
  const sandbox = await openSandbox({ TASKONAUT_RETRY_WAIT_MS: "50", ...env });
  const context = await (await launched).newContext({ viewport: { width, height: 800 }, colorScheme: scheme });
  try {
    for (const [name, text] of Object.entries(flows)) await sandbox.write(`flows/${name}`, text);
    const server = await sandbox.serve(Object.keys(flows).length > 0 ? ["--flows", "flows"] : []);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    return {
      sandbox,
      server,
      page,
      complaints,
      async open(path) {
        await page.goto(`${server.url}/ui${path}`);
      },
      async picture(name) {
        if (SCREENSHOTS !== undefined)
          await page.screenshot({ path: join(SCREENSHOTS, `${name}-${scheme}-${width}.png`) });
      },
      async [Symbol.asyncDispose]() {
        await context.close();
        await sandbox[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await context.close();
    await sandbox[Symbol.asyncDispose]();
    throw error;
  }
}

export async function closeBrowser(): Promise<void> {
  await (await launched)?.close();
}
