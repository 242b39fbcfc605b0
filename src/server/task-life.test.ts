// A task over HTTP: created, advanced and run, and other operations on it.

import { describe, expect, test } from "bun:test";
import type { Task } from "../core/api/task.ts";
import { apiInMemory, problemOf, UNKNOWN_ID } from "../../test/support/api.ts";

const api = apiInMemory();
const { createTask, post } = api;

describe("one task's life", () => {
  test("POST /tasks creates a task with 201 and its Location, with defaults for what is not said", async () => {
    const response = await post("/tasks", "{}");
    const task = (await response.json()) as Task;
    expect(response.status).toBe(201);
    expect(response.headers.get("location")).toBe(`/tasks/${task.id}`);
    expect(task).toMatchObject({ status: "PLANNED", input_payload: { text: "hello", a: 1, b: 2 } });
  });

  test("advance makes one transition, and changes nothing of a task that has ended", async () => {
    const { id } = await createTask();
    const seen: string[] = [];
    for (let i = 0; i < 6; i++) {
      const response = await post(`/tasks/${id}/advance`, undefined, {});
      expect(response.status).toBe(200);
      seen.push(((await response.json()) as Task).status);
    }
    expect(seen).toEqual([
      "RUNNING",
      "WAITING_OBSERVATION",
      "RUNNING",
      "WAITING_OBSERVATION",
      "COMPLETED",
      "COMPLETED",
    ]);
  });

  test.each([
    [undefined, {}],
    [undefined, { "Content-Type": "application/json" }],
    ["{}", undefined],
    ['{"max_steps":5}', undefined],
    ['{"max_steps":1000}', undefined],
    ['{"max_steps":5.0}', undefined],
  ])("run with the body %p and the headers %p ends COMPLETED", async (body, headers) => {
    const { id } = await createTask();
    const response = await post(`/tasks/${id}/run`, body, headers);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: "COMPLETED" });
  });

  test.each([1, 2, 3, 4])("run with max_steps %d answers 409 and keeps what was done", async (steps) => {
    const { id } = await createTask();
    const response = await post(`/tasks/${id}/run`, `{"max_steps":${steps}}`);
    expect(response.status).toBe(409);
    expect((await problemOf(response)).detail).toBe(`Task ${id} did not reach terminal state within ${steps} steps`);
    expect(await (await api.app.request(`/tasks/${id}`)).json()).toMatchObject({
      status: api.taskonaut.tasks.get(id)?.status,
    });
  });

  test.each(["0", "1001", "1.5", '"5"', "true", "null", "-1"])(
    "run with max_steps %s answers 422 and names it",
    async (value) => {
      const { id } = await createTask();
      const response = await post(`/tasks/${id}/run`, `{"max_steps":${value}}`);
      expect(response.status).toBe(422);
      expect((await problemOf(response)).errors?.map((one) => one.path)).toEqual(["max_steps"]);
      expect(api.taskonaut.calls).not.toContain("runTask");
    },
  );

  test.each(["[]", "null", "5", '{"max_step":5}'])("run with the body %s answers 422", async (body) => {
    const { id } = await createTask();
    expect((await problemOf(await post(`/tasks/${id}/run`, body))).code).toBe("input_invalid");
  });

  test("an idempotency key gives its task again with 200, and 409 with another input", async () => {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": "order-1" };
    const first = await post("/tasks", "{}", headers);
    const second = await post("/tasks", '{"a":1.0}', headers);
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(((await second.json()) as Task).id).toBe(((await first.json()) as Task).id);
    expect((await problemOf(await post("/tasks", '{"a":2}', headers))).code).toBe("idempotency_key_reused");
  });

  test.each(["", "k".repeat(256)])("an idempotency key that is empty or too long answers 422", async (key) => {
    const response = await post("/tasks", "{}", { "Content-Type": "application/json", "Idempotency-Key": key });
    expect((await problemOf(response)).errors?.[0]?.path).toBe("Idempotency-Key");
  });

  test("a named flow's tasks are created under its path", async () => {
    const response = await post("/flows/free/tasks", '["anything"]');
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ flow_name: "free", input_payload: ["anything"] });
    expect((await problemOf(await post("/flows/nope/tasks", "{}"))).code).toBe("flow_not_found");
  });

  test("flows are listed and described", async () => {
    expect(await (await api.app.request("/flows")).json()).toMatchObject([{ name: "echo_add" }, { name: "free" }]);
    expect(await (await api.app.request("/flows/echo_add")).json()).toMatchObject({ name: "echo_add", form: "plan" });
    expect((await api.app.request("/flows/%00")).status).toBe(404);
  });
});

describe("cancel, retry and resume", () => {
  test("cancel ends a task, and changes nothing of one that has ended", async () => {
    const { id } = await createTask();
    for (let i = 0; i < 2; i++) {
      const response = await post(`/tasks/${id}/cancel`, undefined, {});
      expect([response.status, await response.json()]).toMatchObject([200, { id, status: "CANCELLED" }]);
    }
  });

  test("cancel by force says so", async () => {
    const { id } = await createTask();
    expect((await post(`/tasks/${id}/cancel`, '{"force":true}')).status).toBe(200);
    await post(`/tasks/${id}/cancel`, '{"force":false}');
    expect(api.taskonaut.requests("cancelTask").map(([, options]) => options)).toEqual([
      { force: true },
      { force: false },
    ]);
  });

  test("retry opens a task that FAILED; others answer 409 with the reason", async () => {
    const task = await createTask();
    const refused = await problemOf(await post(`/tasks/${task.id}/retry`));
    expect(refused).toMatchObject({ status: 409, code: "task_not_retryable" });
    expect(refused.detail).toContain("PLANNED");
    api.taskonaut.change(task, { status: "FAILED", error_message: "no" });
    expect(await (await post(`/tasks/${task.id}/retry`, "{}")).json()).toMatchObject({ status: "RUNNING" });
  });

  test("resume takes a parked task up; where the reason still stands it answers 409", async () => {
    const task = await createTask();
    api.taskonaut.change(task, { parked_reason: "The flow is another one." });
    api.taskonaut.staysParked = true;
    const refused = await problemOf(await post(`/tasks/${task.id}/resume`));
    expect(refused).toMatchObject({ status: 409, code: "task_parked" });
    expect(refused.detail).toContain("The flow is another one.");
    api.taskonaut.staysParked = false;
    expect(await (await post(`/tasks/${task.id}/resume`)).json()).toMatchObject({ parked_reason: null });
  });

  test.each(["cancel", "retry", "resume"])(
    "%s takes no body but an empty object, and knows its errors",
    async (name) => {
      const { id } = await createTask();
      for (const body of ["[]", "null", "5", '{"forced":true}', '{"force":1}']) {
        expect((await problemOf(await post(`/tasks/${id}/${name}`, body))).code).toBe("input_invalid");
      }
      expect((await post(`/tasks/${id}/${name}`, "{")).status).toBe(400);
      expect(api.taskonaut.calls).not.toContain(`${name}Task`);
      expect((await problemOf(await post(`/tasks/${UNKNOWN_ID}/${name}`, "{}"))).code).toBe("task_not_found");
      expect((await problemOf(await post(`/tasks/1/${name}`))).code).toBe("task_id_invalid");
    },
  );
});
