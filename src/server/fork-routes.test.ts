// Forks of tasks over HTTP.

import { expect, test } from "bun:test";
import { apiInMemory } from "../../test/support/api.ts";
import type { Task } from "../core/api/task.ts";
import type { Problem } from "./errors.ts";

const api = apiInMemory();
const JSON_TYPE = { "content-type": "application/json" };

test("a fork is created with a place of its own, or shown without one", async () => {
  const { id } = await api.createTask();
  const shown = await api.post(`/tasks/${id}/fork`, JSON.stringify({ from: 2, dry_run: true }), JSON_TYPE);
  expect([shown.status, await shown.json()]).toMatchObject([200, { shared_steps: 1, forked_from: { task_id: id } }]);
  expect(api.taskonaut.tasks.size).toBe(1);
  const body = JSON.stringify({ from: 2, input: { a: 5 }, set: { 1: "x" } });
  const keyed = { ...JSON_TYPE, "idempotency-key": "k" };
  const made = await api.post(`/tasks/${id}/fork?start=now&priority=2`, body, keyed);
  expect(made.status).toBe(201);
  const task = (await made.json()) as Task;
  expect(task).toMatchObject({ forked_from: { task_id: id, step: 2 }, priority: 2, input_payload: { a: 5 } });
  expect(made.headers.get("location")).toBe(`/tasks/${task.id}`);
  expect((await api.post(`/tasks/${id}/fork?start=now&priority=2`, body, keyed)).status).toBe(200);
  expect(api.taskonaut.forks.asked.at(-1)).toEqual({
    from: 2,
    input: { a: 5 },
    set: { 1: "x" },
    start: "now",
    priority: 2,
    idempotencyKey: "k",
  });
});

test("names of set that valibot leaves out are passed on, to be refused like other names of no step", async () => {
  const { id } = await api.createTask();
  const body = '{"from":2,"dry_run":true,"set":{"1":"x","constructor":"y","__proto__":"z"}}';
  await api.post(`/tasks/${id}/fork`, body, JSON_TYPE);
  expect(Object.keys(api.taskonaut.forks.asked.at(-1)?.set ?? {})).toEqual(["1", "constructor", "__proto__"]);
});

test.each<[string, string, readonly string[]]>([
  ["", "{}", ["from"]],
  ["", '{"from":0}', ["from"]],
  ["", '{"from":1.5}', ["from"]],
  ["", '{"from":"2"}', ["from"]],
  ["", '{"from":2,"form":3}', ["form"]],
  ["", '{"from":2,"set":[1]}', ["set"]],
  ["", '{"from":2,"dry_run":"yes"}', ["dry_run"]],
  ["?start=soon", '{"from":2}', ["start"]],
  ["?wait=1s", '{"from":2}', ["wait"]],
])("%s %s is refused", async (query, body, paths) => {
  const { id } = await api.createTask();
  const response = await api.post(`/tasks/${id}/fork${query}`, body, JSON_TYPE);
  const { errors } = (await response.json()) as Problem;
  expect([response.status, errors?.map(({ path }) => path)]).toEqual([422, [...paths]]);
  expect(api.taskonaut.tasks.size).toBe(1);
});
