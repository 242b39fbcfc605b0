// Which paths and methods there are.

import { describe, expect, test } from "bun:test";
import { apiInMemory, problemOf, UNKNOWN_ID } from "../../test/support/api.ts";

const api = apiInMemory();

describe("a route", () => {
  test.each([
    "/",
    "/nope",
    "/tasks/",
    `/tasks/${UNKNOWN_ID}/nope`,
    `/tasks/${UNKNOWN_ID}/signals`,
    "//tasks",
    "/TASKS",
    "/healthz/x",
  ])("%s is no route: 404", async (path) => {
    for (const method of ["GET", "POST", "DELETE"]) {
      const response = await api.app.fetch(new Request(`http://localhost${path}`, { method }));
      expect((await problemOf(response)).code).toBe("route_not_found");
    }
  });

  test.each([
    ["DELETE", "/tasks", "POST, GET, HEAD"],
    ["PUT", `/tasks/${UNKNOWN_ID}`, "GET, HEAD"],
    ["GET", `/tasks/${UNKNOWN_ID}/advance`, "POST"],
    ["GET", `/tasks/${UNKNOWN_ID}/run`, "POST"],
    ["GET", `/tasks/${UNKNOWN_ID}/cancel`, "POST"],
    ["PUT", `/tasks/${UNKNOWN_ID}/retry`, "POST"],
    ["DELETE", `/tasks/${UNKNOWN_ID}/resume`, "POST"],
    ["GET", `/tasks/${UNKNOWN_ID}/signals/approved`, "POST"],
    ["OPTIONS", "/tasks", "POST, GET, HEAD"],
    ["POST", "/flows", "GET, HEAD"],
    ["GET", "/flows/echo_add/tasks", "POST"],
    ["POST", "/healthz", "GET, HEAD"],
    ["PATCH", "/readyz", "GET, HEAD"],
  ])("%s %s answers 405 and what is allowed", async (method, path, allow) => {
    const response = await api.app.request(path, { method });
    expect(response.headers.get("allow")).toBe(allow);
    expect((await problemOf(response)).code).toBe("method_not_allowed");
  });

  test("HEAD works where GET does, without a body", async () => {
    for (const path of ["/tasks", "/tasks?limit=1", "/flows", "/healthz", "/readyz"]) {
      const response = await api.app.request(path, { method: "HEAD" });
      expect([response.status, await response.text()]).toEqual([200, ""]);
    }
    const refused = await api.app.request(`/tasks/${UNKNOWN_ID}/run`, { method: "HEAD" });
    expect([refused.status, refused.headers.get("allow"), await refused.text()]).toEqual([405, "POST", ""]);
  });
});
