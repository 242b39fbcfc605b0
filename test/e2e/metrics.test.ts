// The metrics as Prometheus asks for them.

import { expect, test } from "bun:test";
import { readExposition, valueOf } from "../support/exposition.ts";
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
