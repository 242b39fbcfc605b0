// Tests that need real sockets.

import { afterEach, describe, expect, test } from "bun:test";
import { TaskonautError } from "../core/errors.ts";
import { SILENT, type LogFields } from "../core/log.ts";
import type { Task } from "../core/api/task.ts";
import type { CreateTask } from "../core/api/create-task.ts";
import { FakeTaskonaut, ManyTasks } from "../../test/support/fake-taskonaut.ts";
import { until } from "../../test/support/until.ts";
import { Wire } from "../../test/support/wire.ts";
import { startServer, type ServeOptions, type StartedServer } from "./serve.ts";

const started: StartedServer[] = [];

afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

async function start(options: Partial<ServeOptions> = {}): Promise<StartedServer & { taskonaut: FakeTaskonaut }> {
  const taskonaut = new FakeTaskonaut();
  const server = await startServer({
    taskonaut,
    host: "127.0.0.1",
    port: 0,
    insecure: false,
    graceMs: 5000,
    ...options,
  });
  started.push(server);
  return { ...server, taskonaut };
}

async function statusOf(url: string, text: string): Promise<number> {
  const wire = await Wire.open(url);
  wire.socket.write(text, "latin1");
  await Promise.race([wire.until(/^HTTP\/1\.1 \d{3} [^]*\r\n\r\n/), wire.closed]).catch(() => {});
  wire.socket.destroy();
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(wire.received)?.[1] ?? 0);
}

/** `code: message` of a promise's rejection. Undefined if it does not reject. */
async function rejectionOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => (error instanceof TaskonautError ? `${error.code}: ${error.message}` : String(error)),
  );
}

const HOST = "Host: localhost\r\n";
const JSON_POST = `POST /tasks HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`;

test("a body whose client leaves in the middle is the client's fault, announced or in chunks", async () => {
  const failures: string[] = [];
  const { url, taskonaut } = await start({ log: { ...SILENT, error: (message) => failures.push(message) } });
  for (const begin of ["Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"]) {
    const wire = await Wire.open(url);
    wire.socket.write(`${JSON_POST}${begin}`);
    await new Promise<void>((resolve) => wire.socket.end(resolve));
    await wire.closed;
  }
  expect(await statusOf(url, `${JSON_POST}Content-Length: 2\r\n\r\n{}`)).toBe(201);
  expect([failures, taskonaut.tasks.size]).toEqual([[], 1]);
});

describe("malformed HTTP", () => {
  const noise = "\x00\x01\xff".repeat(100);

  test.each<[string, string, number]>([
    ["percent-encoding that is none", `GET /tasks/%E0%A4%A HTTP/1.1\r\n${HOST}\r\n`, 422],
    ["a stray percent sign", `GET /% HTTP/1.1\r\n${HOST}\r\n`, 404],
    ["NUL in the path", `GET /tasks/%00 HTTP/1.1\r\n${HOST}\r\n`, 422],
    ["dots in the path", `GET /tasks/../../etc/passwd HTTP/1.1\r\n${HOST}\r\n`, 404],
    ["bytes beyond ASCII in the path", `GET /tasks/\xff\xfe HTTP/1.1\r\n${HOST}\r\n`, 422],
    ["a query that is noise", `GET /tasks?limit=%ff&&&=%&cursor=%E0 HTTP/1.1\r\n${HOST}\r\n`, 422],
    ["a path of 12,000 characters", `GET /${"a".repeat(12_000)} HTTP/1.1\r\n${HOST}\r\n`, 404],
    ["headers of 100,000 characters", `GET /tasks HTTP/1.1\r\n${HOST}X: ${"a".repeat(100_000)}\r\n\r\n`, 431],
    ["control characters in a header", `GET /tasks HTTP/1.1\r\n${HOST}X: \x01\x02\r\n\r\n`, 400],
    ["a header name with a space", `GET /tasks HTTP/1.1\r\n${HOST}X y: 1\r\n\r\n`, 400],
    ["no Host in HTTP/1.1", "GET /healthz HTTP/1.1\r\n\r\n", 400],
    ["no Host in HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n", 200],
    ["a query and no Host in HTTP/1.0", "GET /tasks?limit=1 HTTP/1.0\r\n\r\n", 200],
    ["a Host that is none", "GET /tasks HTTP/1.1\r\nHost: a b/c?\r\n\r\n", 403],
    ["an empty Host", "GET /tasks HTTP/1.1\r\nHost:\r\n\r\n", 403],
    ["a method of WebDAV", `PROPFIND /tasks HTTP/1.1\r\n${HOST}\r\n`, 405],
    ["TRACE", `TRACE /tasks HTTP/1.1\r\n${HOST}\r\n`, 405],
    ["CONNECT", `CONNECT localhost:1 HTTP/1.1\r\n${HOST}\r\n`, 404],
    ["an Authorization that is noise", `GET /tasks HTTP/1.1\r\n${HOST}Authorization: \xff\xfe\r\n\r\n`, 200],
    ["an Idempotency-Key beyond ASCII", `${JSON_POST}Idempotency-Key: \xe9\xff\r\nContent-Length: 2\r\n\r\n{}`, 201],
    ["an Origin that is noise", `GET /tasks HTTP/1.1\r\n${HOST}Origin: \xff://\r\n\r\n`, 403],
    ["an unknown Transfer-Encoding", `${JSON_POST}Transfer-Encoding: foo\r\n\r\n{}`, 400],
    ["a chunk whose size is none", `${JSON_POST}Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}`, 400],
    [
      "both lengths at once",
      `${JSON_POST}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
      400,
    ],
    ["two lengths", `${JSON_POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} `, 400],
    ["a negative length", `${JSON_POST}Content-Length: -2\r\n\r\n{}`, 400],
    ["a length beyond all measure", `${JSON_POST}Content-Length: 99999999999\r\n\r\n{}`, 413],
    ["chunks", `${JSON_POST}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n`, 201],
    [
      "chunks over the limit",
      `${JSON_POST}Transfer-Encoding: chunked\r\n\r\n${`4000\r\n${" ".repeat(0x4000)}\r\n`.repeat(5)}`,
      413,
    ],
    ["noise", `${noise}\r\n\r\n`, 400],
    ["a method that is no word", `F\xff / HTTP/1.1\r\n${HOST}\r\n`, 505],
  ])("%s is answered, and never with 500", async (_, text, status) => {
    const errors: (LogFields | undefined)[] = [];
    const { url } = await start({ log: { ...SILENT, error: (_message, fields) => errors.push(fields) } });
    expect(await statusOf(url, text)).toBe(status);
    expect(errors).toEqual([]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test("a query says the same without a Host, and what is unknown in it is refused", async () => {
    const { url, taskonaut } = await start();
    const created: CreateTask[] = [];
    const createTask = taskonaut.createTask.bind(taskonaut);
    taskonaut.createTask = (request) => {
      created.push(request);
      return createTask(request);
    };
    const post = (query: string): string =>
      `POST /tasks${query} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`;
    expect(await statusOf(url, post("?start=now&priority=2"))).toBe(201);
    expect(created).toMatchObject([{ start: "now", priority: 2 }]);
    expect(await statusOf(url, post("?strat=now"))).toBe(422);
    expect(await statusOf(url, "GET /tasks?satus=FAILED HTTP/1.0\r\n\r\n")).toBe(422);
  });

  test("a request that comes before the answer to the one ahead of it ends the connection, and nothing else", async () => {
    const { url, taskonaut } = await start();
    const { promise, resolve } = Promise.withResolvers<never[]>();
    taskonaut.listWorkers = () => promise;
    const wire = await Wire.open(url);
    wire.socket.write(`GET /workers HTTP/1.1\r\n${HOST}\r\n`.repeat(2));
    await wire.closed;
    resolve([]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test("a method that Bun does not know ends the connection, and nothing else", async () => {
    const { url } = await start();
    expect(await statusOf(url, `FROBNICATE /tasks HTTP/1.1\r\n${HOST}\r\n`)).toBeOneOf([0, 400, 405, 501]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test("a length beyond all measure is refused by us, with a reason, and the connection is closed", async () => {
    const { url } = await start();
    const wire = await Wire.open(url);
    wire.socket.write(`${JSON_POST}Content-Length: 99999999999\r\n\r\n{}`);
    await wire.closed;
    expect(wire.received).toContain("body_too_large");
  });

  test("a client that leaves in the middle of its body harms nobody", async () => {
    const errors: (LogFields | undefined)[] = [];
    const refused = Promise.withResolvers<LogFields | undefined>();
    const log = {
      ...SILENT,
      error: (_: string, fields?: LogFields) => errors.push(fields),
      debug: (_: string, fields?: LogFields) => refused.resolve(fields),
    };
    const { url, taskonaut } = await start({ log });
    const wire = await Wire.open(url);
    wire.socket.write(`${JSON_POST}Content-Length: 20\r\n\r\n{"a":`);
    wire.socket.end();
    expect(await refused.promise).toMatchObject({ status: 400 });
    expect([errors, taskonaut.calls]).toEqual([[], []]);
  });

  test("HEAD of the list asks for one page and sends nothing but headers", async () => {
    const { url, taskonaut } = await start();
    const wire = await Wire.open(url);
    wire.socket.write(`HEAD /tasks HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    await wire.closed;
    expect(wire.received).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
    expect(taskonaut.calls).toEqual(["listTasks"]);
  });
});

/** 100,000 tasks of a kilobyte each. */
function manyTasks(): ManyTasks {
  return new ManyTasks(100_000, "x".repeat(1000));
}

/** The value once ten checks, 10 ms apart, have seen no change: then it has stalled, as far as a test can see. */
async function settle(read: () => number): Promise<number> {
  let last = read();
  for (let still = 0, looks = 0; still < 10 && looks < 500; looks++) {
    await Bun.sleep(10);
    still = read() === last ? still + 1 : 0;
    last = read();
  }
  return last;
}

describe("the list of all tasks as a stream", () => {
  const PAGES = 1000;

  test("100,000 tasks come whole", async () => {
    const taskonaut = manyTasks();
    const { url } = await start({ taskonaut });
    const tasks = (await (await fetch(`${url}/tasks`)).json()) as Task[];
    expect(tasks.length).toBe(taskonaut.count);
    expect(new Set(tasks.map((task) => task.id)).size).toBe(taskonaut.count);
    expect(taskonaut.requests("listTasks").length).toBe(PAGES);
  });

  test("pages are pulled only as fast as the client reads, and a client that leaves ends the paging", async () => {
    const taskonaut = manyTasks();
    const { url } = await start({ taskonaut });
    const wire = await Wire.open(url);
    wire.socket.write(`GET /tasks HTTP/1.1\r\n${HOST}\r\n`);
    await wire.until(/^HTTP/);
    wire.socket.pause();
    const stalledAt = await settle(() => taskonaut.requests("listTasks").length);
    // the kernel's buffers hold a few megabytes of the 130
    expect(stalledAt).toBeLessThan(PAGES / 5);
    wire.socket.destroy();
    const leftAt = await settle(() => taskonaut.requests("listTasks").length);
    expect(leftAt).toBeLessThanOrEqual(stalledAt + 2);
  });

  test("an error in the middle breaks the connection off: the array is visibly unfinished", async () => {
    const taskonaut = manyTasks();
    const listTasks = taskonaut.listTasks.bind(taskonaut);
    taskonaut.listTasks = async (request) => {
      if (taskonaut.requests("listTasks").length < 2) return listTasks(request);
      throw new Error("the database is gone in the middle");
    };
    const errors: (LogFields | undefined)[] = [];
    const { url } = await start({ taskonaut, log: { ...SILENT, error: (_, fields) => errors.push(fields) } });
    const wire = await Wire.open(url);
    wire.socket.write(`GET /tasks HTTP/1.1\r\n${HOST}\r\n`);
    await wire.closed;
    expect(wire.received).toStartWith("HTTP/1.1 200");
    expect(wire.received).not.toEndWith("0\r\n\r\n");
    expect(errors.length).toBe(1);
  });
});

describe("a quiet connection", () => {
  test("is cut in the middle of its body, with or without a token, but not while a task runs", async () => {
    const { url, taskonaut } = await start({ idleTimeoutSeconds: 1, token: "t" });
    const { task } = await taskonaut.createTask({ flow: "echo_add", input: {} });
    const gate = Promise.withResolvers<void>();
    taskonaut.whileRunning = () => gate.promise;
    const headers = { Authorization: "Bearer t", "Content-Type": "application/json" };
    // these started earlier, so they are quiet for longer than the ones that are cut
    const runs = [undefined, "{}"].map((body) =>
      fetch(`${url}/tasks/${task.id}/run`, { method: "POST", headers, body }),
    );
    await until(() => taskonaut.calls.filter((call) => call === "runTask").length === runs.length);
    const stalled = ["/tasks", `/tasks/${task.id}/run`].flatMap((path) =>
      ["", "Authorization: Bearer t\r\n"].map(async (token) => {
        const wire = await Wire.open(url);
        wire.socket.write(
          `POST ${path} HTTP/1.1\r\n${HOST}${token}Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{"a":`,
        );
        await wire.closed;
      }),
    );
    await Promise.all(stalled);
    gate.resolve();
    expect((await Promise.all(runs)).map(({ status }) => status)).toEqual([200, 200]);
  }, 120_000);
});

describe("starting", () => {
  test.each(["0.0.0.0", "::", "192.0.2.1", "myhost", ""])("on %p without a token it does not start", async (host) => {
    expect(await rejectionOf(start({ host }))).toMatch(/^usage: .*TASKONAUT_API_TOKEN/);
    expect(await rejectionOf(start({ host, token: "" }))).toMatch(/^usage: .*TASKONAUT_API_TOKEN/);
  });

  test("on 0.0.0.0 with a token, or with --insecure, it starts", async () => {
    const guarded = await start({ host: "0.0.0.0", token: "t" });
    const open = await start({ host: "0.0.0.0", insecure: true });
    expect((await fetch(`http://127.0.0.1:${new URL(guarded.url).port}/flows`)).status).toBe(401);
    expect((await fetch(`http://127.0.0.1:${new URL(open.url).port}/flows`)).status).toBe(200);
  });

  test("a token that no header can carry is refused", async () => {
    for (const token of ["a b", "ü", "a\n"])
      expect(await rejectionOf(start({ token }))).toMatch(/^usage: .*visible ASCII/);
  });

  test("a port that is taken is a clear error", async () => {
    const { url } = await start();
    expect(await rejectionOf(start({ port: Number(new URL(url).port) }))).toMatch(/^usage: .*--port/);
  });
});

describe("stopping", () => {
  test("an idle keep-alive connection does not hold it up, and the taskonaut is closed once", async () => {
    const { url, stop, taskonaut } = await start({ graceMs: 60_000 });
    const wire = await Wire.open(url);
    wire.socket.write(`GET /healthz HTTP/1.1\r\n${HOST}\r\n`);
    await wire.until(/alive/);
    await Promise.all([stop(), stop()]);
    await wire.closed;
    expect(taskonaut.closed).toBe(1);
    expect(await rejectionOf(fetch(`${url}/healthz`))).toBeString();
  });

  test("a request under way is answered while the taskonaut closes, and no other is taken", async () => {
    const { url, stop, taskonaut } = await start({ graceMs: 60_000 });
    const { task } = await taskonaut.createTask({ flow: "echo_add", input: {} });
    const gate = Promise.withResolvers<void>();
    taskonaut.whileRunning = () => gate.promise;
    const wire = await Wire.open(url);
    wire.socket.write(`POST /tasks/${task.id}/run HTTP/1.1\r\n${HOST}\r\n`);
    await until(() => taskonaut.calls.includes("runTask"));
    const stopped = stop();
    expect(await rejectionOf(fetch(`${url}/healthz`))).toBeString();
    wire.socket.write(`GET /healthz HTTP/1.1\r\n${HOST}\r\n`);
    expect(taskonaut.closed).toBe(1);
    gate.resolve();
    await wire.until(/COMPLETED/);
    await stopped;
    await wire.closed;
    expect(wire.received).not.toContain("alive");
    expect(taskonaut.closed).toBe(1);
  });

  test("what the taskonaut refuses while it closes is answered", async () => {
    const { url, stop, taskonaut } = await start({ graceMs: 60_000 });
    const { task } = await taskonaut.createTask({ flow: "echo_add", input: {} });
    const gate = Promise.withResolvers<void>();
    taskonaut.whileRunning = () => gate.promise;
    taskonaut.close = async () => gate.reject(new TaskonautError("shutting_down", "It leaves."));
    const answer = fetch(`${url}/tasks/${task.id}/run`, { method: "POST" });
    await until(() => taskonaut.calls.includes("runTask"));
    await stop();
    expect(await (await answer).json()).toMatchObject({ code: "shutting_down", status: 503 });
  });

  test("requests and taskonaut have one grace period together", async () => {
    const graceMs = 1000;
    const { url, stop, taskonaut } = await start({ graceMs });
    const { task } = await taskonaut.createTask({ flow: "echo_add", input: {} });
    taskonaut.whileRunning = () => new Promise(() => {});
    taskonaut.close = () => Bun.sleep(graceMs);
    const answer = rejectionOf(fetch(`${url}/tasks/${task.id}/run`, { method: "POST" }));
    await until(() => taskonaut.calls.includes("runTask"));
    // a timer of this process: it is as late as everything else that waits here
    const late = Bun.sleep(1.9 * graceMs).then(() => "after two periods");
    expect(await Promise.race([stop().then(() => "stopped"), late])).toBe("stopped");
    expect(await answer).toBeString();
  });

  test("a taskonaut that cannot be closed is told of, and the connections end all the same", async () => {
    const { url, stop, taskonaut } = await start({ graceMs: 60_000 });
    taskonaut.whileRunning = () => new Promise(() => {});
    taskonaut.close = () => Promise.reject(new Error("the database is gone"));
    const { task } = await taskonaut.createTask({ flow: "echo_add", input: {} });
    const answer = rejectionOf(fetch(`${url}/tasks/${task.id}/run`, { method: "POST" }));
    await until(() => taskonaut.calls.includes("runTask"));
    expect(await rejectionOf(stop())).toContain("the database is gone");
    expect(await answer).toBeString();
    started.pop();
  });

  test("a request that does not end is cut off after the grace period", async () => {
    const { url, stop, taskonaut } = await start({ graceMs: 20 });
    const { task } = await taskonaut.createTask({ flow: "echo_add", input: {} });
    taskonaut.whileRunning = () => new Promise(() => {});
    const answer = fetch(`${url}/tasks/${task.id}/run`, { method: "POST" }).then(
      () => "answered",
      () => "cut off",
    );
    await until(() => taskonaut.calls.includes("runTask"));
    await stop();
    expect(await answer).toBe("cut off");
    expect(taskonaut.closed).toBe(1);
  });
});
