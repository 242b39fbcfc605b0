// `POST /bulk` and `POST /purge`, and the client methods for them.

import { expect, test } from "bun:test";
import { createClient } from "../client/client.ts";
import { apiInMemory } from "../../test/support/api.ts";

const api = apiInMemory();

test("what is shown is started with its token", async () => {
  await api.createTask();
  const request = { action: "cancel", filter: { flow: "echo_add", status: ["PLANNED", "RUNNING"], parked: false } };
  const shown = await api.post("/bulk", JSON.stringify(request));
  expect(shown.status).toBe(200);
  const preview = (await shown.json()) as { token: string };
  expect(preview).toMatchObject({ action: "cancel", tasks: 1, more: false });
  const started = await api.post("/bulk", JSON.stringify({ ...request, token: preview.token }));
  expect(started.status).toBe(201);
  expect(started.headers.get("location")).toStartWith("/tasks/");
  expect(api.taskonaut.bulk.started).toMatchObject([
    { action: "cancel", filter: { flow: ["echo_add"], status: ["PLANNED", "RUNNING"] }, token: preview.token },
  ]);
});

test.each([
  ["/bulk", { action: "cancle", filter: {} }, "action"],
  ["/bulk", { action: "cancel" }, "filter"],
  ["/bulk", { action: "cancel", filter: { flwo: "order" } }, "filter.flwo"],
  ["/bulk", { action: "cancel", filter: { status: ["FAILD"] } }, "filter.status"],
  ["/bulk", { action: "cancel", filter: {}, sure: true }, "sure"],
  ["/bulk", { action: "cancel", filter: {}, force: "yes" }, "force"],
  // lists without values, and names that valibot leaves out of a record: none of them means "all tasks"
  ["/bulk", { action: "cancel", filter: { flow: [] } }, "filter.flow"],
  ["/bulk", { action: "cancel", filter: { status: [false] } }, "filter.status"],
  ["/bulk", { action: "cancel", filter: { constructor: "x" } }, "filter.constructor"],
  ["/bulk", { action: "cancel", filter: JSON.parse('{"__proto__":"x"}') }, "filter.__proto__"],
  ["/purge", { filter: { status: [] } }, "filter.status"],
  ["/purge", { filter: { prototype: "x" } }, "filter.prototype"],
  ["/purge", { dry_run: "yes" }, "dry_run"],
  ["/purge", { filter: { since: "soon" } }, "filter.since"],
])("%s refuses %j", async (path, body, where) => {
  const refused = await api.post(path, JSON.stringify(body));
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({ code: "input_invalid", errors: [{ path: where }] });
});

test("a client says the same", async () => {
  await api.createTask();
  const client = createClient({
    baseUrl: "http://127.0.0.1",
    fetch: async (url, init) => api.app.request(url, init),
  });
  const request = {
    action: "signal",
    filter: { flow: ["a", "b"], tags: { customer: "c1" }, parked: true },
    signal: { name: "go", payload: { by: "Ada" } },
  } as const;
  const { token, tasks } = await client.bulk.preview(request);
  expect(tasks).toBe(1);
  expect((await client.bulk.start({ ...request, token })).created).toBe(true);
  expect(api.taskonaut.bulk.started).toEqual([{ ...request, token }]);
  const forced = { action: "cancel", filter: {}, force: true } as const;
  const shown = await client.bulk.preview(forced);
  expect(shown.force).toBe(true);
  await client.bulk.start({ ...forced, token: shown.token });
  expect(api.taskonaut.bulk.started.at(-1)).toEqual({ ...forced, token: shown.token });
  await expect(client.bulk.preview({ action: "cancel", filter: { flow: [] } })).rejects.toThrow(
    "flow: expected at least",
  );
  expect(await client.bulk.purge({ filter: {}, isDryRun: true })).toMatchObject({ next: null, not_loaded: ["gone"] });
});
