// Requests that wait for the end of a task.

import { afterEach, describe, expect, test } from "bun:test";
import { apiInMemory } from "../../test/support/api.ts";
import { FakeTaskonaut } from "../../test/support/fake-taskonaut.ts";
import { until } from "../../test/support/until.ts";
import type { Task } from "../core/api/task.ts";
import { createClient } from "../client/client.ts";
import type { Problem } from "./errors.ts";
import { startServer } from "./serve.ts";

const api = apiInMemory();
const KEYED = { "content-type": "application/json", "idempotency-key": "k" };

describe.each(["/tasks", "/flows/free/tasks"])("POST %s?wait", (path) => {
  test("answers 201 with the task that has ended", async () => {
    const response = await api.post(`${path}?wait=1.5s`, "{}");
    expect(response.status).toBe(201);
    const task = (await response.json()) as Task;
    expect(task.status).toBe("COMPLETED");
    expect(response.headers.get("location")).toBe(`/tasks/${task.id}`);
    expect(api.taskonaut.results.waits.map(({ waitMs }) => waitMs)).toEqual([1500]);
  });

  test("answers 202 with the task as it is when the time is up, and says whether it is new", async () => {
    const ask = (): Promise<Response> => api.post(`${path}?wait=0s`, "{}", KEYED);
    const first = await ask();
    expect([first.status, first.headers.get("taskonaut-created")]).toEqual([202, "true"]);
    const task = (await first.json()) as Task;
    expect(first.headers.get("location")).toBe(`/tasks/${task.id}`);
    const second = await ask();
    expect([second.status, second.headers.get("taskonaut-created")]).toEqual([202, "false"]);
    expect(await second.json()).toEqual(task);
  });

  test("and POST alone keep the trace of the request, and pass over a header that is none", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (const [header, kept] of [
      [traceparent, traceparent],
      ["00-0-0-01", undefined],
    ]) {
      const headers = { "content-type": "application/json", traceparent: header ?? "" };
      const answers = [await api.post(path, "{}", headers), await api.post(`${path}?wait=0s`, "{}", headers)];
      expect(answers.map(({ status }) => status)).toEqual([201, 202]);
      const arrived = api.taskonaut.requests("createTask").slice(-2);
      expect(arrived.map(([made]) => made.traceparent)).toEqual([kept, kept]);
    }
  });

  test("answers 200 where the key has found a task that has ended", async () => {
    const ask = (): Promise<Response> => api.post(`${path}?wait=1s`, "{}", KEYED);
    expect([(await ask()).status, (await ask()).status]).toEqual([201, 200]);
  });

  test.each(["", "10", "soon", "-1s", "11m", "1h", "1e3s"])("refuses wait=%s", async (wait) => {
    const response = await api.post(`${path}?start=now&wait=${wait}`, "{}");
    expect(response.status).toBe(422);
    expect(((await response.json()) as Problem).errors).toEqual([
      {
        path: "wait",
        message: `expected a duration such as 500ms, 10s or 2m, at most 10m, received ${JSON.stringify(wait)}`,
      },
    ]);
    expect(api.taskonaut.tasks.size).toBe(0);
  });
});

test("GET /tasks/{id}?wait answers 200, whether the task has ended or not, whole or as a summary", async () => {
  const { id } = await api.createTask();
  for (const query of ["wait=10m", "wait=1s&view=summary", "view=summary&wait=0ms"]) {
    const response = await api.app.request(`/tasks/${id}?${query}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ id, status: "PLANNED" });
  }
  expect(api.taskonaut.results.waits.map(({ waitMs }) => waitMs)).toEqual([600_000, 1000, 0]);
  expect((await api.app.request(`/tasks/${crypto.randomUUID()}?wait=1s`)).status).toBe(404);
});

describe("on a socket", () => {
  const stops: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  test("a request outlasts the time for quiet connections, and one whose client leaves is given up", async () => {
    const taskonaut = new FakeTaskonaut();
    const server = await startServer({ taskonaut, host: "127.0.0.1", port: 0, insecure: false, idleTimeoutSeconds: 1 });
    stops.push(server.stop);
    const { results } = taskonaut;
    const leftBy: string[] = [];
    const goOn = Promise.withResolvers<void>();
    results.whileWaiting = async ({ waitMs, signal }) => {
      const left = new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
      await Promise.race([goOn.promise, left.then(() => leftBy.push(`${waitMs}`))]);
    };
    const client = createClient({ baseUrl: server.url });
    const { task } = await client.createTask({ flow: "echo_add", input: {} });
    const patient = client.results.await(task.id, { waitMs: 60_000 });
    await until(() => results.waits.length === 1);
    const leave = new AbortController();
    const gone = [
      client.results.awaitSummary(task.id, { waitMs: 5000, signal: leave.signal }),
      client.results.create({ flow: "echo_add", input: {} }, { waitMs: 7000, signal: leave.signal }),
    ];
    await until(() => results.waits.length === 3);
    leave.abort(new Error("enough"));
    for (const each of await Promise.allSettled(gone))
      expect(each.status === "rejected" && (each.reason as Error).message).toBe("enough");
    await until(() => leftBy.length === 2);
    expect(leftBy.toSorted()).toEqual(["5000", "7000"]);
    // a quiet connection is cut off by now; the patient request has been quiet just as long
    await Promise.allSettled([fetch(`${server.url}/tasks`, { method: "POST", body: stalled() })]);
    goOn.resolve();
    expect((await patient).id).toBe(task.id);
  }, 60_000);
});

/** A body that begins, and never continues. */
function stalled(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("{")) });
}
