// Signals over HTTP.

import { beforeEach, describe, expect, test } from "bun:test";
import type { Task } from "../core/api/task.ts";
import { apiInMemory, problemOf } from "../../test/support/api.ts";

const api = apiInMemory();
const { post } = api;

describe("signals", () => {
  let id: string;

  beforeEach(async () => {
    ({ id } = (await (await post("/flows/free/tasks", "{}")).json()) as Task);
  });

  test("the body is the payload, and the answer is the task", async () => {
    const response = await post(`/tasks/${id.toUpperCase()}/signals/approved`, '{"by":"ann"}');
    expect([response.status, await response.json()]).toEqual([200, api.taskonaut.tasks.get(id)]);
    expect(api.taskonaut.signals).toEqual([{ name: "approved", payload: { by: "ann" } }]);
  });

  test.each([
    [undefined, {}, null],
    ["", { "Content-Type": "application/json" }, null],
    ["null", { "Content-Type": "application/json" }, null],
    ["[1]", { "Content-Type": "application/json" }, [1]],
    ['"x"', { "Content-Type": "application/json" }, "x"],
  ])("the body %p with the headers %p is the payload %p", async (body, headers, payload) => {
    expect((await post(`/tasks/${id}/signals/nudged`, body, headers)).status).toBe(200);
    expect(api.taskonaut.signals).toEqual([{ name: "nudged", payload }]);
  });

  test("a payload that breaks the signal's contract and a name that is not declared answer 422", async () => {
    const refused = await problemOf(await post(`/tasks/${id}/signals/approved`, '{"by":1,"at":2}'));
    expect(refused).toMatchObject({ status: 422, code: "input_invalid" });
    expect(refused.errors?.map((one) => one.path).toSorted()).toEqual(["at", "by"]);
    for (const name of ["nope", "%00", "a%2Fb", "x".repeat(5000)]) {
      expect((await problemOf(await post(`/tasks/${id}/signals/${name}`, "{}"))).status).toBe(422);
    }
    expect(api.taskonaut.signals).toEqual([]);
  });

  test("an idempotency key delivers once; with another payload it answers 409", async () => {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": "k" };
    for (let i = 0; i < 2; i++) expect((await post(`/tasks/${id}/signals/nudged`, "1", headers)).status).toBe(200);
    expect(api.taskonaut.signals).toEqual([{ name: "nudged", payload: 1, idempotencyKey: "k" }]);
    const reused = await problemOf(await post(`/tasks/${id}/signals/nudged`, "2", headers));
    expect(reused).toMatchObject({ status: 409, code: "idempotency_key_reused" });
    const tooLong = await post(`/tasks/${id}/signals/nudged`, "1", { ...headers, "Idempotency-Key": "k".repeat(256) });
    expect((await problemOf(tooLong)).errors?.[0]?.path).toBe("Idempotency-Key");
  });

  test("a task that has ended takes none: 409", async () => {
    await post(`/tasks/${id}/run`);
    const problem = await problemOf(await post(`/tasks/${id}/signals/nudged`));
    expect(problem).toMatchObject({ status: 409, code: "task_ended" });
  });

  test("a payload that is no JSON, or too large, is refused at the door", async () => {
    expect((await post(`/tasks/${id}/signals/nudged`, "{")).status).toBe(400);
    expect((await post(`/tasks/${id}/signals/nudged`, "9007199254740993")).status).toBe(422);
    expect((await post(`/tasks/${id}/signals/nudged`, `"${"x".repeat(70_000)}"`)).status).toBe(413);
    expect((await post(`/tasks/${id}/signals/nudged`, "1", { "Content-Type": "text/plain" })).status).toBe(415);
    expect(api.taskonaut.calls).not.toContain("signalTask");
  });

  test("what a flow takes is described with it", async () => {
    expect(await (await api.app.request("/flows/free")).json()).toMatchObject({
      signals: { approved: { type: "object" } },
    });
    expect(await (await api.app.request("/flows")).json()).toMatchObject([
      { signals: {} },
      { signals: { nudged: {} } },
    ]);
  });
});
