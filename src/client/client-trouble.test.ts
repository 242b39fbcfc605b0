import { describe, expect, test } from "bun:test";
import type { Task, ToolCall } from "../core/api/task.ts";
import { fakeTask } from "../../test/support/fake-taskonaut.ts";
import { CREATED_AT, plannedStep } from "../../test/support/tasks.ts";
import { createClient } from "./client.ts";
import type { Fetch } from "./transport.ts";
import { connectingClients, errorOf } from "../../test/support/client-and-server.ts";

const UNKNOWN_ID = "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11";

const { connect, atEnd } = connectingClients();

function answering(body: string, init: ResponseInit = {}): Fetch {
  return async () => new Response(body, init);
}

describe("what is no taskonaut server", () => {
  const html = "<html>It works!</html>";

  test.each<[string, Fetch]>([
    ["a web page", answering(html, { headers: { "Content-Type": "text/html" } })],
    ["an empty answer", answering("")],
    ["other JSON", answering('{"hello":"world"}')],
    ["a task without its steps", answering('{"id":"x","status":"PLANNED","flow_name":"f","current_step":0}')],
    ["a page of a proxy", answering(html, { status: 502, headers: { "Content-Type": "text/html" } })],
    ["another service's error", answering('{"message":"Not Found"}', { status: 404 })],
    ["an error of a later version", answering('{"code":"toString","detail":"x"}', { status: 418 })],
    ["a redirect", answering("", { status: 301, headers: { Location: "https://other.example/" } })],
  ])("%s is api_unreachable, with the address and what to check", async (_, fetch) => {
    const client = createClient({ baseUrl: "http://api.example/x", fetch });
    for (const asking of [
      client.getTask(UNKNOWN_ID),
      client.runTask(UNKNOWN_ID),
      client.cancelTask(UNKNOWN_ID),
      client.signalTask(UNKNOWN_ID, { name: "approved", payload: null }),
      client.resolveTask(UNKNOWN_ID, { resolution: { kind: "retry" } }),
      client.listWorkers(),
      client.listTasks({ limit: 1 }),
      client.checkReady(),
      client.listFlows(),
    ]) {
      const error = await errorOf(asking);
      expect(error).toMatchObject({ code: "api_unreachable", exit: 5 });
      expect(error.message).toContain("http://api.example/x/");
      expect(error.message).toContain("--api-base-url");
    }
  });

  test("a task whose words and numbers are of another kind is told apart, whatever is in it", async () => {
    const call: ToolCall = {
      id: "c",
      task_id: "t1",
      task_step_id: "s1",
      idempotency_key: "k",
      tool_name: "t",
      status: "COMPLETED",
      retry_count: 0,
      progress: null,
      last_error: null,
      error_message: null,
      error: null,
      started_at: CREATED_AT,
      finished_at: null,
      request_payload: null,
      response_payload: null,
      created_at: CREATED_AT,
    };
    const step = plannedStep({ status: "COMPLETED" });
    const whole = (stepParts: object, callParts: object, parts: object): Task => ({
      ...fakeTask(1),
      steps: [{ ...step, tool_calls: [{ ...call, ...callParts }], ...stepParts }],
      ...parts,
    });
    const ask = (task: Task): Promise<Task> =>
      createClient({ baseUrl: "http://api.example", fetch: answering(JSON.stringify(task)) }).getTask(UNKNOWN_ID);
    expect((await ask(whole({}, {}, { new_field: 1 }))).id).toBe(fakeTask(1).id);
    const escape = "\u001b]0;title\u0007";
    for (const hostile of [
      whole({ status: escape }, {}, {}),
      whole({ status: "constructor" }, {}, {}),
      whole({ step_index: escape }, {}, {}),
      whole({ step_name: [escape] }, {}, {}),
      whole({ error_message: { length: 1 } }, {}, {}),
      whole({ doubt: {} }, {}, {}),
      whole({}, { status: escape }, {}),
      whole({}, { retry_count: escape }, {}),
      whole({}, { tool_name: 1 }, {}),
      whole({}, { finished_at: 1 }, {}),
      whole({}, {}, { status: escape }),
      whole({}, {}, { parked_reason: 1 }),
      whole({}, {}, { parent_task_id: [] }),
      whole({}, {}, { created_at: null }),
      whole({}, {}, { priority: escape }),
      whole({}, {}, { due_at: 1 }),
      whole({}, {}, { lease_owner: 1 }),
      whole({}, {}, { waiting_for: [{ kind: "signal", name: {}, until: null, task_id: null }] }),
    ])
      expect((await errorOf(ask(hostile))).code).toBe("api_unreachable");
  });

  test("a redirect names where it leads", async () => {
    const fetch = answering("", { status: 308, headers: { Location: "https://other.example/" } });
    expect((await errorOf(createClient({ baseUrl: "http://api.example", fetch }).listFlows())).message).toContain(
      "https://other.example/",
    );
  });

  test("a redirect is not followed: the token is for one server only", async () => {
    const { taskonaut, url } = await connect();
    const elsewhere = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) => Response.redirect(`${url}${new URL(request.url).pathname}`, 307),
    });
    atEnd(() => elsewhere.stop(true));
    expect((await errorOf(createClient({ baseUrl: elsewhere.url.origin, token: "t" }).listFlows())).message).toContain(
      url,
    );
    expect(taskonaut.calls).toEqual([]);
  });

  test("a port on which nothing listens, and a host that nobody knows", async () => {
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
    const url = server.url.origin;
    await server.stop(true);
    expect((await errorOf(createClient({ baseUrl: url }).listFlows())).message).toContain("nothing listens there");
    expect((await errorOf(createClient({ baseUrl: "http://no-such-host.invalid" }).listFlows())).code).toBe(
      "api_unreachable",
    );
  });

  test("a server that does not answer in time; a run and a cancel are waited for longer", async () => {
    const gate = Promise.withResolvers<void>();
    const { client, taskonaut } = await connect({ client: { timeoutMs: 50 } });
    const { task } = await taskonaut.createTask({ flow: "free", input: {} });
    taskonaut.whileRunning = () => gate.promise;
    const run = client.runTask(task.id);
    const other = (await taskonaut.createTask({ flow: "free", input: {} })).task;
    const cancel = client.cancelTask(other.id);
    taskonaut.getTask = () => gate.promise.then(() => task);
    expect((await errorOf(client.getTask(task.id))).message).toContain("no answer within 50 ms");
    gate.resolve();
    expect((await run).status).toBe("COMPLETED");
    expect((await cancel).status).toBe("CANCELLED");
  });

  test("a connection that breaks off in the middle of an answer", async () => {
    const broken = new ReadableStream({
      pull(controller) {
        controller.error(new Error("reset"));
      },
    });
    const fetch: Fetch = async () => new Response(broken);
    expect((await errorOf(createClient({ baseUrl: "http://api.example", fetch }).listFlows())).code).toBe(
      "api_unreachable",
    );
  });

  test.each(["", "localhost:8000", "ftp://x", "nonsense", "http://", "http://u:p@x", "http://x?a=b"])(
    "%p is no base URL",
    (baseUrl) => {
      expect(() => createClient({ baseUrl })).toThrow(expect.objectContaining({ code: "usage" }));
    },
  );
});
