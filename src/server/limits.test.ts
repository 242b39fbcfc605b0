// The routes of limits.

import { expect, test } from "bun:test";
import { apiInMemory, problemOf } from "../../test/support/api.ts";
import { OPENAI } from "../../test/support/fake-limits.ts";

const api = apiInMemory();

const post = (path: string, body: unknown): Promise<Response> | Response =>
  api.app.request(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

test("GET /limits gives all of them", async () => {
  expect(await (await api.app.request("/limits")).json()).toEqual([OPENAI]);
});

test("POST /limits/{name} sets what it says, a rate by milliseconds or by a duration", async () => {
  const said = { kind: "tool", running: 5, running_per_key: "none", reason: "why", by: "ada" };
  expect(await (await post("/limits/openai", { ...said, rate: { count: 2, per: "1m" } })).json()).toEqual(OPENAI);
  await post("/limits/openai", { rate: { count: 2, per_ms: 5 } });
  await post("/limits/openai", { rate: "none", running: null });
  expect(api.taskonaut.limits.asked).toEqual([
    ["set", "openai", { ...said, rate: { count: 2, per_ms: 60_000 } }],
    ["set", "openai", { rate: { count: 2, per_ms: 5 } }],
    ["set", "openai", { rate: "none", running: null }],
  ]);
});

test("POST /limits/{name}/reset needs no body", async () => {
  expect((await api.app.request("/limits/openai/reset", { method: "POST" })).status).toBe(200);
  expect((await post("/limits/openai/reset", { kind: "flow" })).status).toBe(200);
  expect(api.taskonaut.limits.asked).toEqual([
    ["reset", "openai", undefined],
    ["reset", "openai", "flow"],
  ]);
});

test.each([
  [{ runnning: 1 }, "runnning"],
  [{ running: "5" }, "running"],
  [{ kind: "step" }, "kind"],
  [{ rate: { count: 1, per: "soon" } }, "rate.per"],
])("%j answers 422", async (body, path) => {
  const { errors } = await problemOf(await post("/limits/openai", body));
  expect(errors?.[0]?.path).toBe(path);
});

test("a limit that there is not answers 404", async () => {
  expect((await post("/limits/nope", { running: 1 })).status).toBe(404);
});
