// Spans of tasks whose processes are killed: a collector has none twice.

import { expect, setDefaultTimeout, test } from "bun:test";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";
import { until } from "../support/until.ts";
import { DIALECTS, openPlace } from "./place.ts";

setDefaultTimeout(120_000);

const FLOW = `
  import { call, defineFlow, defineTool, sleep } from "taskonaut";
  import * as v from "valibot";
  const step = defineTool({ name: "step", input: v.number(), output: v.number(), run: async (n) => { await Bun.sleep(100); return n; } });
  export default defineFlow({
    name: "steps", input: v.object({}),
    *run() { for (let n = 0; n < 5; n++) { yield* call(step, n, { as: "s" + n }); yield* sleep("10ms"); } },
  });
`;

const TASKS = 30;
const KILLS = 3;

test.each(DIALECTS)(
  "%s: through kills, take-overs and replays each span comes once at most, with its parent",
  async (dialect) => {
    using collector = startOtlpReceiver();
    await using place = await openPlace(dialect, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    await place.write("flows/steps.ts", FLOW);
    for (let n = 0; n < TASKS; n++) {
      expect((await place.run(["run-flow", "--flows", "flows", "steps", "--mode", "enqueue"])).exit).toBe(0);
    }
    const ended = async (): Promise<number> => {
      const [row] = await place.query<{ n: number }>("select count(*) as n from tasks where finished_at is not null");
      return Number(row?.n);
    };
    let spans = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const worker = place.start(["work", "--flows", "flows", "--concurrency", "5"]);
      await until(() => collector.spans.length > spans);
      process.kill(worker.pid, "SIGKILL");
      spans = collector.spans.length;
    }
    const last = place.start(["work", "--flows", "flows"]);
    await last.see("Worker started");
    await until(async () => (await ended()) === TASKS);
    expect((await last.stop()).exit).toBe(0); // it sends what is left
    const ids = collector.spans.map(({ traceId, spanId }) => `${traceId} ${spanId}`);
    expect(ids.length).toBe(new Set(ids).size);
    // each task has its own span, 5 steps with an attempt each, and 5 waits; the dead did not send their last second
    expect(ids.length).toBeLessThanOrEqual(TASKS * 16);
    const roots = collector.spans.filter(({ parentSpanId }) => parentSpanId === undefined);
    const rootOf = new Map(roots.map(({ traceId, spanId }) => [traceId, spanId]));
    const steps = collector.spans.filter(({ name }) => name === "step" || name === "sleep");
    const lost = steps.filter(
      ({ traceId, parentSpanId }) => rootOf.has(traceId) && rootOf.get(traceId) !== parentSpanId,
    );
    expect(lost).toEqual([]);
    expect(roots.length).toBeGreaterThan(0);
  },
);

test("a collector that was not there gets the spans of a task later, the same that it would have got then", async () => {
  using collector = startOtlpReceiver();
  await using place = await openPlace("sqlite", {});
  await place.write("flows/steps.ts", FLOW);
  expect((await place.run(["run-flow", "--flows", "flows", "steps", "--wait"])).exit).toBe(0);
  const shown = await place.run(["traces", "@last:steps"]);
  const refused = await place.run(["traces", "@last:steps", "--send"]);
  expect(refused.exit).toBe(2);
  expect(refused.stderr).toContain("OTEL_EXPORTER_OTLP_ENDPOINT");
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: "shop" };
  expect((await place.run(["traces", "@last:steps", "--send"], { env })).exit).toBe(0);
  expect(collector.spans.length).toBe(16);
  const told = JSON.parse(shown.stdout) as (typeof collector.requests)[number]["body"];
  expect(told.resourceSpans[0]?.scopeSpans[0]?.spans).toEqual(collector.spans);
  expect(collector.requests[0]?.body.resourceSpans[0]?.resource.attributes).toEqual([
    { key: "service.name", value: { stringValue: "shop" } },
  ]);
});
