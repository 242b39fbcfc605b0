// Makes the pictures of the dashboard in README.md and docs/dashboard.md from a real server. Needs Chromium in PATH.
// `bun .scripts/record-dashboard.ts`

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const ROOT = join(import.meta.dir, "..");
const SIZE = { width: 1100, height: 560 };

/** Flows that look like an order, a nightly report and an approval in progress. */
const FLOWS = `
  import { call, defineFlow, defineTool, sleep, waitForSignal } from "taskonaut";
  import * as v from "valibot";
  const charge = defineTool({
    name: "charge", input: v.object({ cents: v.number() }), output: v.object({ receipt: v.string() }), retry: { attempts: 1 },
    run({ cents }) {
      if (cents === 1300) throw new Error("card declined: insufficient funds");
      return { receipt: "r-" + cents };
    },
  });
  const ship = defineTool({ name: "ship", input: v.object({}), output: v.object({ parcel: v.string() }), run: () => ({ parcel: "p-1" }) });
  export const order = defineFlow({
    name: "order", input: v.object({ cents: v.number() }), tags: ({ cents }) => ({ size: cents > 5000 ? "large" : "small" }),
    signals: { approved: v.object({ by: v.string() }) },
    *run({ cents }) {
      if (cents > 5000) yield* waitForSignal("approved");
      yield* call(charge, { cents });
      return yield* call(ship, {});
    },
  });
  export const report = defineFlow({ name: "report", input: v.object({}), *run() { yield* sleep("6h"); return null; } });
`;

const chromiumPath = Bun.which("chromium") ?? Bun.which("google-chrome");
if (chromiumPath === null) throw new Error("There is no Chromium on the PATH.");

const folder = await mkdtemp(join(tmpdir(), "taskonaut-picture-"));
await Bun.write(join(folder, "flows/shop.ts"), FLOWS);
const server = Bun.spawn([join(ROOT, "dist/taskonaut"), "run-app", "--port", "0", "--logster"], {
  cwd: folder,
  env: { PATH: process.env["PATH"] ?? "", HOME: folder, XDG_DATA_HOME: folder, LOG_LEVEL: "info" },
  stdout: "ignore",
  stderr: "pipe",
});
const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
try {
  const url = await addressOf(server.stderr);
  const create = async (flow: string, input: unknown): Promise<void> => {
    const headers = { "content-type": "application/json" };
    await fetch(`${url}/flows/${flow}/tasks?start=now`, { method: "POST", headers, body: JSON.stringify(input) });
  };
  for (const cents of [1200, 800, 2400]) await create("order", { cents });
  await create("report", {});
  for (const cents of [9900, 1300, 450, 7200]) await create("order", { cents });
  for (const scheme of ["light", "dark"] as const) {
    const page = await browser.newPage({ viewport: SIZE, colorScheme: scheme, deviceScaleFactor: 1 });
    await page.goto(`${url}/ui/tasks`);
    await page.getByText("card declined").waitFor();
    await page.getByText(/WAITING \d+ h more/).waitFor();
    await page.screenshot({ path: join(ROOT, `docs/dashboard-${scheme}.png`) });
    await page.close();
  }
} finally {
  await browser.close();
  server.kill("SIGKILL");
  await server.exited;
  await rm(folder, { recursive: true });
}

async function addressOf(log: ReadableStream<Uint8Array>): Promise<string> {
  let said = "";
  for await (const chunk of log) {
    said += new TextDecoder().decode(chunk);
    const url = /Listening on (http:\/\/[\w.:]+)/.exec(said)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`The server did not start:\n${said}`);
}
