// How failures behind the API are answered and logged.

import { describe, expect, test } from "bun:test";
import { TaskonautError } from "../core/errors.ts";
import { SILENT, type LogFields } from "../core/log.ts";
import { apiInMemory, postTo, problemOf, UNKNOWN_ID } from "../../test/support/api.ts";
import { createApp } from "./app.ts";

const api = apiInMemory();
const { createTask, post } = api;

describe("errors", () => {
  test("an unknown task answers 404, an id that is none 422, and letter case does not matter", async () => {
    const missing = await problemOf(await api.app.request(`/tasks/${UNKNOWN_ID}`));
    expect(missing).toMatchObject({ status: 404, detail: `Task ${UNKNOWN_ID} not found` });
    for (const id of ["1", "%00", "%E0%A4%A", "%2e%2e%2f", "x".repeat(5000)]) {
      expect((await problemOf(await api.app.request(`/tasks/${id}`))).code).toBe("task_id_invalid");
    }
    const { id } = await createTask();
    expect((await api.app.request(`/tasks/${id.toUpperCase()}`)).status).toBe(200);
  });

  test("an input that is wrapped as other systems want it is told to be the body itself", async () => {
    const wrapped = JSON.stringify({ input: { text: "hello", a: 1, b: 2 } });
    for (const query of ["", "?wait=1s"]) {
      const { detail, errors } = await problemOf(await post(`/flows/echo_add/tasks${query}`, wrapped));
      expect(detail).toEndWith('. The body is the input itself: send it without "input" around.');
      expect(errors).toEqual([{ path: "input", message: "unknown field" }]);
    }
    const named = JSON.stringify({ flow: "order", input: { text: "hello" }, start: "now" });
    expect((await problemOf(await post("/tasks", named))).detail).toEndWith(
      '. The body is the input itself: send it without "input" around, to POST /flows/<flow>/tasks. What else is said of the task is in the query or a header, such as ?start=now.',
    );
    for (const other of [{ text: 1 }, { input: 1, text: "hello" }, { flow: "order" }]) {
      const { detail } = await problemOf(await post("/flows/echo_add/tasks", JSON.stringify(other)));
      expect(detail).not.toContain("around");
    }
  });

  test("while the database is gone everything but /healthz answers 503 with Retry-After", async () => {
    api.taskonaut.failure = new TaskonautError("database_unavailable", "The database does not answer.");
    const requests = ["/tasks", "/tasks?limit=1", `/tasks/${UNKNOWN_ID}`, "/readyz", "/flows"].map((path) =>
      api.app.request(path),
    );
    for (const response of await Promise.all([...requests, post("/tasks", "{}"), post(`/tasks/${UNKNOWN_ID}/run`)])) {
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
      expect((await problemOf(response)).detail).toBe("The database does not answer.");
    }
    expect((await api.app.request("/healthz")).status).toBe(200);
  });

  test("a database that is behind makes /readyz say so", async () => {
    api.taskonaut.failure = new TaskonautError("database_behind", "Run taskonaut migrate.");
    expect(await problemOf(await api.app.request("/readyz"))).toMatchObject({ status: 503, code: "database_behind" });
  });

  test("a fault of ours is logged whole and told without its inner life", async () => {
    const logged: (LogFields | undefined)[] = [];
    const app = createApp(api.taskonaut, {
      host: "127.0.0.1",
      log: { ...SILENT, error: (_, fields) => logged.push(fields) },
    });
    api.taskonaut.failure = new Error("secret: s3cr3t");
    const problem = await problemOf(await app.request("/flows"));
    expect(problem).toMatchObject({ status: 500, code: "internal" });
    expect(JSON.stringify(problem)).not.toContain("s3cr3t");
    expect(logged).toEqual([{ error: api.taskonaut.failure }]);
  });

  test("every request is logged at debug with its answer's status", async () => {
    const logged: (LogFields | undefined)[] = [];
    const app = createApp(api.taskonaut, {
      host: "127.0.0.1",
      log: { ...SILENT, debug: (_, fields) => logged.push(fields) },
    });
    await postTo(app, "/tasks", "{}");
    await app.request("/nope");
    expect(logged).toMatchObject([
      { method: "POST", path: "/tasks", status: 201 },
      { method: "GET", path: "/nope", status: 404 },
    ]);
  });
});
