// Queries of requests: only known parameters, each once.

import { describe, expect, test } from "bun:test";
import { apiInMemory, problemOf } from "../../test/support/api.ts";

const api = apiInMemory();
const ID = "01a20709-d9fc-76df-913b-d3b3a13c8836";

describe("a parameter that a route does not know answers 422 and is named", () => {
  test.each([
    ["GET", "/tasks?satus=FAILED", "satus"],
    ["GET", "/tasks?limit=2&staus=FAILED", "staus"],
    ["GET", `/tasks/${ID}?veiw=summary`, "veiw"],
    ["GET", `/task-ids/${ID}?limit=3`, "limit"],
    ["GET", "/flows?name=x", "name"],
    ["GET", "/flows/echo_add?x", "x"],
    ["GET", "/workers?state=dead", "state"],
    ["POST", `/tasks/${ID}/run?max_steps=3`, "max_steps"],
    ["POST", `/tasks/${ID}/advance?now=1`, "now"],
    ["POST", `/tasks/${ID}/cancel?force=true`, "force"],
    ["POST", `/tasks/${ID}/signals/x?payload=1`, "payload"],
  ])("%s %s", async (method, path, name) => {
    const response = await api.app.request(path, { method });
    expect(response.status).toBe(422);
    expect((await problemOf(response)).errors).toEqual([
      { path: name, message: expect.stringMatching(/^unknown parameter; (known: |this route takes none)/) },
    ]);
  });
});

test("a parameter that is given twice answers 422", async () => {
  const problem = await problemOf(await api.app.request("/tasks?limit=1&limit=2"));
  expect(problem.errors).toEqual([{ path: "limit", message: "given more than once" }]);
});

test("a view that there is not answers 422", async () => {
  for (const asked of ["/tasks?view=all", `/tasks/${ID}?view=summery`]) {
    const { errors } = await problemOf(await api.app.request(asked));
    expect(errors?.map(({ path }) => path)).toEqual(["view"]);
  }
});

test("probes may say what they like", async () => {
  for (const path of ["/healthz?probe=1", "/readyz?probe=1"]) expect((await api.app.request(path)).status).toBe(200);
});
