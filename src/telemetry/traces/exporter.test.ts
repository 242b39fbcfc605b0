// The spans after tasks have really run.

import { afterEach, beforeEach, expect, test } from "bun:test";
import * as v from "valibot";
import { type OtlpReceiver, startOtlpReceiver } from "../../../test/support/otlp-receiver.ts";
import { engineOn } from "../../../test/support/engine.ts";
import { until } from "../../../test/support/until.ts";
import { traceOf } from "../../core/record/trace-context.ts";
import { toSpan, toTrace, traceJson } from "../../core/record/otlp.ts";
import { type Log, SILENT } from "../../core/log.ts";
import { all, call, defineFlow, defineTool, race, runChild, sleep, waitForSignal } from "../../sdk/taskonaut.ts";
import { openSqliteStore } from "../../store/sqlite/store.ts";
import type { Store } from "../../store/store.ts";
import { observedStore } from "../observed-store.ts";
import { TraceExporter } from "./exporter.ts";
import { readTraceSettings, type TraceSettings } from "./settings.ts";
import { isSampled, spansOfRecord } from "../../core/record/spans.ts";

let receiver: OtlpReceiver;
let plain: Store;

beforeEach(async () => {
  receiver = startOtlpReceiver();
  plain = await openSqliteStore({ path: ":memory:" });
});

afterEach(async () => {
  receiver[Symbol.dispose]();
  await plain.close();
});

function exporter(over: Partial<TraceSettings> = {}, log: Log = SILENT): TraceExporter {
  const settings = readTraceSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SERVICE_NAME: "shop" });
  if (!settings) throw new Error("They were asked for.");
  return new TraceExporter({ settings: { ...settings, ...over }, version: "1.2.3", log });
}

let fails = true;
let traceparents: string[] = [];
const charge = defineTool({
  name: "charge",
  input: v.number(),
  output: v.number(),
  retry: { attempts: 2, base: "1ms" },
  run: (n, { traceparent }) => {
    traceparents.push(traceparent);
    if (fails) throw new Error("card declined");
    return n;
  },
});
const child = defineFlow({
  name: "child",
  input: v.object({}),
  *run() {
    yield* sleep("1ms");
  },
});
const parent = defineFlow({
  name: "parent",
  input: v.object({}),
  signals: { go: v.unknown() },
  *run() {
    yield* race({ slow: sleep("1h"), fast: sleep("1ms") });
    yield* all({ a: call(charge, 1), b: runChild(child, {}) });
    yield* waitForSignal("go");
  },
});

test("each thing that ended has one span, with its parent and its times, also after a replay and a retry by hand", async () => {
  const traces = exporter();
  const flows = [parent, child];
  const engine = engineOn(observedStore(plain, [traces]), { flows });
  fails = true;
  traceparents = [];
  const { task } = await engine.createTask({ flow: "parent", input: {} });
  await until(async () => (await engine.runTask(task.id)).status === "FAILED");
  fails = false;
  await engine.retryTask(task.id);
  await until(async () => (await engine.runTask(task.id)).waiting_for.some(({ kind }) => kind === "signal"));
  // another process: it has to replay the whole task
  const other = engineOn(observedStore(plain, [traces]), { flows });
  await other.getTask(task.id);
  await other.signalTask(task.id, { name: "go", payload: null });
  expect((await other.runTask(task.id)).status).toBe("COMPLETED");
  await traces.close();
  const ofParent = receiver.spans.filter(({ traceId }) => traceId === traceIdOf(task));
  const ids = receiver.spans.map(({ traceId, spanId }) => `${traceId} ${spanId}`);
  // the manual retry ends the task again, and the flow gets the other results beside the failed step once more
  const again = receiver.spans.filter((_, place) => ids.indexOf(ids[place] ?? "") < place);
  expect(again.map(({ name }) => name).toSorted()).toEqual(["parent", "run child child"]);
  const root = ofParent.findLast(({ name }) => name === "parent");
  expect(ofParent.map(({ name }) => name).toSorted()).toEqual([
    "charge",
    "charge",
    "charge attempt 1",
    "charge attempt 2",
    "parent",
    "parent",
    "run child child",
    "run child child",
    "sleep",
    "sleep",
    "wait for signal go",
  ]);
  const rest = ofParent.filter(({ parentSpanId, name }) => parentSpanId !== root?.spanId && name !== "parent");
  expect(rest.map(({ name }) => name).toSorted()).toEqual(["charge attempt 1", "charge attempt 2"]);
  const calls = new Set(ofParent.filter(({ name }) => name === "charge").map(({ spanId }) => spanId));
  expect(calls.size).toBe(2);
  // two attempts of the first call, and one of the call after the manual retry
  const [first, , third] = traceparents;
  expect(traceparents).toEqual([first, first, third].map(String));
  expect([first, third].map(String).toSorted()).toEqual(
    [...calls].map((id) => `00-${traceIdOf(task)}-${id}-01`).toSorted(),
  );
  expect(rest.every(({ parentSpanId = "" }) => calls.has(parentSpanId))).toBe(true);
  expect(ofParent.find(({ name }) => name === "charge attempt 2")?.status).toEqual({
    code: 2,
    message: "card declined",
  });
  const [ofChild] = receiver.spans.filter(({ name }) => name === "child");
  const step = ofParent.find(({ name }) => name === "run child child");
  expect(ofChild?.links).toEqual([{ traceId: traceIdOf(task), spanId: step?.spanId ?? "" }]);
  // the record later gives the same spans
  const record = await plain.readTask(task.id);
  const told = record ? spansOfRecord(record).map(({ spanId }) => spanId) : [];
  expect(told.filter((id) => !ofParent.some(({ spanId }) => spanId === id))).toEqual([]);
  const [request] = receiver.requests;
  expect([request?.path, request?.headers.get("content-type")]).toEqual(["/v1/traces", "application/json"]);
  expect(request?.body.resourceSpans[0]?.resource.attributes).toEqual([
    { key: "service.name", value: { stringValue: "shop" } },
  ]);
  expect(traces.counts).toEqual({ sent: receiver.spans.length, failed: 0, dropped: 0 });
});

const quick = defineFlow({
  name: "quick",
  input: v.object({}),
  *run() {
    yield* call(charge, 1);
  },
});

test("a collector that refuses, or is not there, keeps nobody from working; what it did not take is counted", async () => {
  fails = false;
  receiver.answer = () => new Response("no", { status: 503 });
  for (const url of [receiver.url, "http://127.0.0.1:1"]) {
    const traces = exporter({ url });
    const engine = engineOn(observedStore(plain, [traces]), { flows: [quick] });
    const { task } = await engine.createTask({ flow: "quick", input: {} });
    expect((await engine.runTask(task.id)).status).toBe("COMPLETED");
    await traces.close();
    expect(traces.counts).toEqual({ sent: 0, failed: 3, dropped: 0 });
  }
  receiver.answer = () => Response.json({ partialSuccess: { rejectedSpans: "2", errorMessage: "too old" } });
  const traces = exporter();
  traces.add(spansOfTask());
  await traces.close();
  expect(traces.counts).toEqual({ sent: 1, failed: 2, dropped: 0 });
});

test("what is lost when the process leaves is told, with what was under way and what still waited", async () => {
  const said: unknown[] = [];
  const traces = exporter({}, { ...SILENT, warn: (_, fields) => said.push(fields) });
  const { promise: never } = Promise.withResolvers<Response>();
  receiver.answer = () => never;
  for (let n = 0; n < 400; n++) traces.add(spansOfTask());
  await traces.close();
  expect(traces.counts).toEqual({ sent: 0, failed: 1_200, dropped: 0 });
  const error = "there was no answer within 2 s, and the process has ended";
  expect(said).toEqual([{ spans: 1_200, to: `${receiver.url}/v1/traces`, error }]);
});

test("a later loss is told at the end, as the log tells of the first alone; what has no place is told as well", async () => {
  const said: unknown[] = [];
  const traces = exporter({}, { ...SILENT, warn: (_, fields) => said.push(fields) });
  receiver.answer = () => new Response("no", { status: 400 });
  await traces.sendAll(spansOfTask().map(toSpan));
  for (let n = 0; n < 3_000; n++) traces.add(spansOfTask());
  receiver.answer = () => Response.json({});
  await traces.close();
  expect(traces.counts).toEqual({ sent: 8_192, failed: 3, dropped: 808 });
  expect(said).toMatchObject([{ spans: 3 }, { spans: 811, error: "it answered 400: no" }]);
});

test("an answer that does not end is an answer: its beginning is read, and the spans are taken", async () => {
  let pieces = 0;
  receiver.answer = () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          pieces += 1;
          controller.enqueue(new Uint8Array(100_000));
        },
      }),
    );
  const traces = exporter();
  traces.add(spansOfTask());
  await traces.close();
  expect(traces.counts).toEqual({ sent: 3, failed: 0, dropped: 0 });
  expect(pieces).toBeLessThan(1_000);
});

test("what somebody asks for is sent in requests of a bounded size, whatever is sampled, and as far as the collector takes it", async () => {
  const spans = Array.from({ length: 1_200 }, () => spansOfTask().map(toSpan)).flat();
  const traces = exporter({ ratio: 0 });
  expect(await traces.sendAll(spans)).toEqual({ sent: 3_600, failed: 0, to: `${receiver.url}/v1/traces` });
  expect([receiver.spans.length, receiver.requests.length]).toEqual([3_600, 8]);
  receiver.answer = () => new Response("no", { status: 503 });
  const told = await exporter().sendAll(spans.slice(0, 3));
  expect(told).toEqual({ sent: 0, failed: 3, reason: "it answered 503: no", to: `${receiver.url}/v1/traces` });
});

test("the record of a fork tells of what it does itself, not of what it shares", async () => {
  const engine = engineOn(plain, { flows: [parent, child] });
  fails = false;
  const { task } = await engine.createTask({ flow: "parent", input: {} });
  await until(async () => (await engine.runTask(task.id)).waiting_for.some(({ kind }) => kind === "signal"));
  const { task: fork } = await engine.forks.create(task.id, { from: 4 });
  await until(async () => (await engine.runTask(fork.id)).waiting_for.some(({ kind }) => kind === "signal"));
  const spansOf = async (id: string) =>
    (await engine.readTrace(id)).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  const names = async (id: string) => (await spansOf(id)).map(({ name }) => name).toSorted();
  expect(await names(task.id)).toEqual(["charge", "charge attempt 1", "run child child", "sleep", "sleep"]);
  expect(await names(fork.id)).toEqual(["run child child"]);
  const [first] = await spansOf(fork.id);
  expect(first?.traceId).toBe(traceIdOf(fork));
});

test("the JSON of a trace in pieces is that of the whole", () => {
  for (const count of [0, 1, 200, 401]) {
    const spans = Array.from({ length: count }, () => spansOfTask().map(toSpan)).flat();
    const trace = toTrace(spans, { resource: { "service.name": "a" }, version: "1" });
    const pieces = [...traceJson(trace)];
    expect(pieces.join("")).toBe(JSON.stringify(trace));
    expect(pieces.length).toBe(2 + Math.ceil(spans.length / 200));
  }
});

test("no more waits than there is place for, and the rest is counted as dropped", () => {
  const traces = exporter();
  for (let n = 0; n < 3_000; n++) traces.add(spansOfTask());
  expect(traces.counts).toEqual({ sent: 0, failed: 0, dropped: 3 * 3_000 - 8_192 });
});

test("a share of the tasks is sampled, each whole", () => {
  const tasks = Array.from({ length: 4_000 }, () => ({ id: Bun.randomUUIDv7(), traceparent: null }));
  const bySampler = (ratio: number) => tasks.filter((task) => isSampled(task, { ratio, isParentBased: true })).length;
  expect(Math.abs(bySampler(0.25) - 1_000)).toBeLessThan(150);
  expect([bySampler(0), bySampler(1)]).toEqual([0, 4_000]);
});

test("a task in a trace of somebody else is sampled as that one says, or with all of its trace by the share", () => {
  const traced = (flags: string, end = "0") => ({
    id: Bun.randomUUIDv7(),
    traceparent: `00-4bf92f3577b34da6a3c${end.repeat(13)}-00f067aa0ba902b7-${flags}`,
  });
  for (const ratio of [0, 0.5, 1]) {
    const parentBased = { ratio, isParentBased: true };
    expect([isSampled(traced("01"), parentBased), isSampled(traced("02"), parentBased)]).toEqual([true, false]);
  }
  const half = { ratio: 0.5, isParentBased: false };
  expect([isSampled(traced("00", "7"), half), isSampled(traced("01", "8"), half)]).toEqual([true, false]);
});

test("a task that is created with a traceparent is in that trace: its spans, what its tools call, and its children", async () => {
  const [traceId, above] = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"];
  const traces = exporter();
  const engine = engineOn(observedStore(plain, [traces]), { flows: [parent, child] });
  fails = false;
  traceparents = [];
  const { task } = await engine.createTask({
    flow: "parent",
    input: {},
    traceparent: `00-${traceId}-${above}-01`,
  });
  expect(task.traceparent).toBe(`00-${traceId}-${above}-01`);
  await until(async () => (await engine.runTask(task.id)).waiting_for.some(({ kind }) => kind === "signal"));
  await engine.signalTask(task.id, { name: "go", payload: null });
  expect((await engine.runTask(task.id)).status).toBe("COMPLETED");
  await traces.close();
  expect(new Set(receiver.spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  const named = (name: string) => receiver.spans.find((span) => span.name === name);
  const root = named("parent");
  expect(root?.parentSpanId).toBe(above);
  expect(traceparents).toEqual([`00-${traceId}-${named("charge")?.spanId}-01`]);
  const ofChild = named("child");
  const step = named("run child child");
  expect([ofChild?.parentSpanId, ofChild?.links, step?.parentSpanId]).toEqual([step?.spanId, undefined, root?.spanId]);
  // a retry continues in the same trace; a fork starts a new one
  const { task: fork } = await engine.forks.create(task.id, { from: 1 });
  expect(fork.traceparent).toBeNull();
});

function traceIdOf(task: { readonly id: string; readonly traceparent: string | null }): string {
  return traceOf(task).traceId;
}

function spansOfTask() {
  const span = { traceId: "1".repeat(32), parentSpanId: null, name: "n", start: 1.7e12, end: 1.7e12, error: null };
  return [1, 2, 3].map((n) => ({ ...span, spanId: `${n}`.repeat(16), attributes: {}, link: null }));
}
