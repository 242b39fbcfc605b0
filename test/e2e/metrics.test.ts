// The metrics as Prometheus asks for them.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { readExposition, valueOf } from "../support/exposition.ts";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";
import { openSandbox } from "./harness.ts";

const get = async (url: string, token?: string): Promise<Response> =>
  fetch(`${url}/metrics`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });

test("a server tells of its tasks and requests, and wants a viewer's token where it wants one", async () => {
  await using sandbox = await openSandbox({ TASKONAUT_API_TOKEN: "own" });
  const server = await sandbox.serve();
  const created = await fetch(`${server.url}/tasks?wait=20s`, {
    method: "POST",
    headers: { authorization: "Bearer own", "content-type": "application/json" },
    body: "{}",
  });
  expect(created.status).toBe(201);
  expect((await get(server.url)).status).toBe(401);
  const made = await sandbox.run(["tokens", "create", "--name", "p", "--role", "viewer", "--json"]);
  const { secret } = JSON.parse(made.stdout) as { readonly secret: string };
  const response = await get(server.url, secret);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  expect(readExposition(text).size).toBeGreaterThan(10);
  expect(valueOf(text, "taskonaut_tasks_finished_total", { flow: "echo_add", status: "COMPLETED" })).toBe(1);
  expect(valueOf(text, "taskonaut_http_request_duration_seconds_count", { route: "/tasks", method: "POST" })).toBe(1);
  expect(valueOf(text, "taskonaut_http_request_duration_seconds_count", { status: "401" })).toBe(1);
  expect(valueOf(text, "taskonaut_store_up")).toBe(1);
  expect(valueOf(text, "taskonaut_tasks", { flow: "echo_add", status: "COMPLETED" })).toBe(1);
});

test("a worker tells of its own on a port of its own", async () => {
  await using sandbox = await openSandbox();
  await sandbox.run(["migrate"]);
  const worker = sandbox.start(["work", "--metrics-port", "0"]);
  const [, url = ""] = await worker.see(/Metrics at (http:\S+)\/metrics/);
  await sandbox.run(["run-flow", "--mode", "enqueue"]);
  await worker.see("task ended");
  const text = await (await get(url)).text();
  expect(valueOf(text, "taskonaut_tasks_finished_total", { status: "COMPLETED" })).toBe(1);
  expect(valueOf(text, "taskonaut_queue_delay_seconds_count", { flow: "echo_add" })).toBe(1);
  expect(valueOf(text, "taskonaut_worker_slots")).toBe(valueOf(text, "taskonaut_slots"));
  expect(valueOf(text, "taskonaut_worker_slots", { state: "free" })).toBeGreaterThan(0);
  expect((await fetch(`${url}/tasks`)).status).toBe(404);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect((await worker.stop()).exit).toBe(0);
});

/** Prometheus' own check (Debian's package prometheus). Where there is none, that of `readExposition` has to do. */
const PROMTOOL = Bun.which("promtool");

async function complaintsOf(args: readonly string[], input = ""): Promise<string> {
  if (PROMTOOL === null) return "";
  const checking = Bun.spawn([PROMTOOL, ...args], { stdin: new Blob([input]), stdout: "pipe", stderr: "pipe" });
  const [exit, stdout, stderr] = await Promise.all([
    checking.exited,
    new Response(checking.stdout).text(),
    new Response(checking.stderr).text(),
  ]);
  return exit === 0 ? stderr : `${exit}: ${stdout}${stderr}`;
}

test("Prometheus' own check, where it is there, finds nothing in what server and worker tell", async () => {
  using collector = startOtlpReceiver();
  await using sandbox = await openSandbox({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const server = await sandbox.serve();
  const worker = sandbox.start(["work", "--metrics-port", "0"]);
  const [, url = ""] = await worker.see(/Metrics at (http:\S+)\/metrics/);
  await sandbox.run(["run-flow", "--mode", "enqueue"]);
  await sandbox.run(["run-flow", "--text", "hello"]);
  await fetch(`${server.url}/nowhere`);
  for (const from of [server.url, url]) {
    const text = await (await get(from)).text();
    expect(readExposition(text).size).toBeGreaterThan(10);
    expect(await complaintsOf(["check", "metrics"], text)).toBe("");
  }
  expect((await worker.stop()).exit).toBe(0);
});

test("Prometheus' own check, where it is there, takes the alert rules, and what the Grafana dashboard asks", async () => {
  expect(await complaintsOf(["check", "rules", "ops/alerts.yaml"])).toBe("");
  const { panels } = (await Bun.file("ops/grafana-dashboard.json").json()) as {
    readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
  };
  const asked = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const rules = asked.map((expr, place) => ({
    record: `asked:${place}`,
    expr: expr.replaceAll("$__rate_interval", "5m"),
  }));
  expect(asked.length).toBeGreaterThan(5);
  await using sandbox = await openSandbox();
  await sandbox.write("rules.yaml", JSON.stringify({ groups: [{ name: "asked", rules }] }));
  expect(await complaintsOf(["check", "rules", join(sandbox.folder, "rules.yaml")])).toBe("");
});
