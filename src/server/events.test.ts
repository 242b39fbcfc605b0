// GET /events: the content of the stream, who may listen, and when it ends.

import { afterEach, describe, expect, spyOn, test } from "bun:test";
import type { TaskEvent, Told } from "../core/api/events.ts";
import { EventStreamReader, fromMessage, type Message } from "../core/api/event-stream.ts";
import { problemOf } from "../../test/support/api.ts";
import { FakeTaskonaut, TASK_ID } from "../../test/support/fake-taskonaut.ts";
import { until } from "../../test/support/until.ts";
import { Wire } from "../../test/support/wire.ts";
import { createApp } from "./app.ts";
import { startServer, type StartedServer } from "./serve.ts";

const EVENT: TaskEvent = {
  kind: "ended",
  task_id: TASK_ID,
  version: 7,
  flow_name: "echo_add",
  status: "COMPLETED",
  parked: false,
  waiting_for: [],
  parent_task_id: null,
  schedule: null,
  priority: 5,
  tags: { "customer\n": "ü\r\ndata: x" },
  at: "2026-11-29T08:00:00.000Z",
};

const BATCH: readonly Told[] = [
  { kind: "event", id: "e.1", event: EVENT },
  { kind: "resync", id: "e.9", reason: "the listener was too slow" },
  { kind: "lost", id: "e.9", reason: "the file is gone", retryMs: 1000 },
  { kind: "quiet", id: "e.10" },
];

/** Reads the part of a stream that has arrived. */
class Stream {
  readonly messages: Message[] = [];
  text = "";
  isOver = false;

  constructor(readonly response: Response) {
    this.#read().catch(() => {
      this.isOver = true;
    });
  }

  async #read(): Promise<void> {
    const reader = new EventStreamReader();
    for await (const piece of bodyOf(this.response)) {
      this.text += new TextDecoder().decode(piece);
      this.messages.push(...reader.read(piece));
    }
    this.isOver = true;
  }
}

function bodyOf(response: Response): AsyncIterable<Uint8Array> {
  return response.body as unknown as AsyncIterable<Uint8Array>;
}

function appWith(options: { readonly token?: string } = {}) {
  const taskonaut = new FakeTaskonaut();
  const app = createApp(taskonaut, { host: "127.0.0.1", gate: taskonaut.tokens, ...options });
  const ask = async (path: string, headers: Record<string, string> = {}, method = "GET") =>
    new Stream(await app.request(path, { method, headers }));
  return { taskonaut, app, ask };
}

test("it is a stream of events, each with its id, kind and JSON on one line, and no proxy keeps it back", async () => {
  const { taskonaut, ask } = appWith();
  const stream = await ask("/events");
  expect(Object.fromEntries(stream.response.headers)).toMatchObject({
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  await until(() => stream.messages.length === 1, "ready");
  taskonaut.events.tell(...BATCH);
  await until(() => stream.messages.length === 5, "the batch");
  expect(stream.messages.map(({ id, event }) => [id, event])).toEqual([
    ["e.1", "ready"],
    ["e.1", "ended"],
    ["e.9", "resync"],
    ["e.9", "lost"],
    ["e.10", "quiet"],
  ]);
  expect(stream.messages.slice(1).map(fromMessage)).toEqual([...BATCH]);
  expect(stream.text).toStartWith("id: e.1\nevent: ready\ndata: {}\n\nid: e.1\nevent: ended\ndata: {");
  taskonaut.events.end();
  await until(() => stream.isOver, "the end");
});

test("what is asked for is passed on, with the id that was told last", async () => {
  const { taskonaut, ask } = appWith();
  await ask(
    `/events?task=${TASK_ID.toUpperCase()}&kind=ended&kind=removed&flow=order&status=failed&tag=a=b&last-event-id=e.1`,
    {
      "Last-Event-ID": "e.5",
    },
  );
  await ask("/events?last-event-id=e.1&needs-person");
  expect(taskonaut.events.asked).toMatchObject([
    {
      tasks: [TASK_ID],
      kinds: ["ended", "removed"],
      filter: { flow: ["order"], status: ["FAILED"], tags: { a: "b" } },
      after: "e.5",
    },
    { filter: { needsPerson: true }, after: "e.1" },
  ]);
});

test("what no event decides, and what nobody can mean, is refused with every fault", async () => {
  const { app, taskonaut } = appWith();
  const response = await app.request("/events?error=x&waiting-for=signal:go&kind=endet&task=12&since=2h");
  expect(response.status).toBe(422);
  const { errors = [] } = await problemOf(response);
  expect(errors.map(({ path }) => path).toSorted()).toEqual(["error", "kind", "since", "task", "waiting-for"]);
  expect(errors.find(({ path }) => path === "kind")?.message).toContain("did you mean ended?");
  expect(taskonaut.events.asked).toEqual([]);
});

test("HEAD is answered without a listener", async () => {
  const { app, taskonaut } = appWith();
  const response = await app.request("/events", { method: "HEAD" });
  expect([response.status, await response.text(), taskonaut.events.asked]).toEqual([200, "", []]);
});

test("a token for some flows hears of these alone, whether it names them or not", async () => {
  const { taskonaut, app, ask } = appWith();
  const { secret } = await taskonaut.tokens.create({ name: "ci", role: "viewer", flows: ["order", "bill"] });
  const headers = { authorization: `Bearer ${secret}` };
  expect((await ask("/events", headers)).response.status).toBe(200);
  expect((await ask("/events?flow=bill", headers)).response.status).toBe(200);
  expect((await app.request("/events?flow=bill&flow=echo_add", { headers })).status).toBe(403);
  expect(taskonaut.events.asked.map(({ filter }) => filter?.flow)).toEqual([["order", "bill"], ["bill"]]);
});

test("it ends soon after its token was revoked, and not before", async () => {
  const { taskonaut, ask } = appWith();
  const [kept, revoked] = [
    await taskonaut.tokens.create({ name: "kept", role: "viewer" }),
    await taskonaut.tokens.create({ name: "revoked", role: "viewer" }),
  ];
  const [goesOn, ends] = [
    await ask("/events", { authorization: `Bearer ${kept.secret}` }),
    await ask("/events", { authorization: `Bearer ${revoked.secret}` }),
  ];
  await until(() => goesOn.messages.length + ends.messages.length === 2, "ready");
  await taskonaut.tokens.revoke(revoked.token.id);
  const now = performance.now.bind(performance);
  const clock = spyOn(performance, "now").mockImplementation(() => now() + 11_000);
  try {
    taskonaut.events.tell({ kind: "quiet", id: "e.2" });
    await until(() => ends.isOver && goesOn.messages.length === 2, "one has ended, the other one goes on");
  } finally {
    clock.mockRestore();
  }
  expect([ends.messages.length, goesOn.isOver, taskonaut.events.listeners]).toEqual([1, false, 1]);
});

describe("over a socket", () => {
  const started: StartedServer[] = [];
  afterEach(async () => {
    for (const server of started.splice(0)) await server.stop();
  });

  async function start(): Promise<{ server: StartedServer; taskonaut: FakeTaskonaut }> {
    const taskonaut = new FakeTaskonaut();
    const server = await startServer({
      taskonaut,
      host: "127.0.0.1",
      port: 0,
      insecure: false,
      graceMs: 5000,
      gate: taskonaut.tokens,
      idleTimeoutSeconds: 1,
    });
    started.push(server);
    return { server, taskonaut };
  }

  const REQUEST = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";

  test("silence does not end it, though it ends other connections", async () => {
    const { server, taskonaut } = await start();
    const [stream, idle] = [await Wire.open(server.url), await Wire.open(server.url)];
    idle.socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.socket.write(REQUEST);
    await stream.until(/event: ready/);
    await idle.closed;
    taskonaut.events.tell(...BATCH);
    await stream.until(/event: ended/);
    stream.socket.destroy();
    await until(() => taskonaut.events.listeners === 0, "the listener is forgotten");
  });

  test("one who does not read takes no more than his socket holds", async () => {
    const { server, taskonaut } = await start();
    const wire = await Wire.open(server.url);
    wire.socket.write(REQUEST);
    await wire.until(/event: ready/);
    wire.socket.pause();
    const large: Told = { kind: "resync", id: "e.1", reason: "x".repeat(100_000) };
    let told = 0;
    // the kernel's buffers hold about 4 MB
    await until(() => {
      taskonaut.events.tell(large);
      return (told += 1) > 300;
    });
    await until(() => taskonaut.events.taken > 10, "some are taken");
    const { taken } = taskonaut.events;
    await new Promise(setImmediate);
    expect(taken).toBeLessThan(200);
    wire.socket.destroy();
    await until(() => taskonaut.events.listeners === 0, "the listener is forgotten");
  });

  test("a server that stops ends it", async () => {
    const { server, taskonaut } = await start();
    const wire = await Wire.open(server.url);
    wire.socket.write(REQUEST);
    await wire.until(/event: ready/);
    taskonaut.close = async () => taskonaut.events.end();
    await server.stop();
    await wire.closed;
  });
});
