// What `traces` shows of a task's spans, and what it says of those that it sends.

import { expect, test } from "bun:test";
import type { SentSpans, Span, Trace } from "../core/record/trace.ts";
import { createPaint } from "../log/paint.ts";
import { cli } from "../../test/support/cli-in-memory.ts";
import { FakeTaskonaut } from "../../test/support/fake-taskonaut.ts";
import { showTrace } from "./show-trace.ts";

const T0 = 1_700_000_000_000;

function span(
  id: string,
  parent: string | undefined,
  name: string,
  [start, end]: [number, number],
  message?: string,
): Span {
  return {
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    spanId: id.repeat(16),
    ...(parent !== undefined && { parentSpanId: parent.repeat(16) }),
    name,
    kind: 1,
    startTimeUnixNano: `${T0 + start}000000`,
    endTimeUnixNano: `${T0 + end}000000`,
    attributes: [],
    status: message === undefined ? {} : { code: 2, message },
  };
}

const SPANS = [
  span("1", "9", "order", [0, 90_000], "card declined"),
  span("2", "1", "reserve", [5, 75]),
  span("3", "2", "reserve attempt 1", [5, 75]),
  span("4", "1", "charge", [80, 1_580], "card declined"),
  span("5", "4", "charge attempt 3", [580, 1_580], "card declined"),
];

const TRACE: Trace = {
  resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ scope: { name: "taskonaut" }, spans: SPANS }] }],
};

test("each span stands below the one that it is part of, and fits the terminal", () => {
  const paint = createPaint(false);
  expect(showTrace(SPANS, { columns: 80, paint })).toBe(`trace 4bf92f3577b34da6a3ce929d0e0e4736
SPAN                    AFTER     TOOK  ERROR
order                    0 ms  1.5 min  card declined
  reserve                5 ms    70 ms
    reserve attempt 1    5 ms    70 ms
  charge                80 ms    1.5 s  card declined
    charge attempt 3   580 ms    1.0 s  card declined
`);
  for (const columns of [20, 30, 40]) {
    const lines = showTrace(SPANS, { columns, paint }).split("\n").slice(1);
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
  }
  expect(showTrace(SPANS.slice(1, 3), { columns: 80, paint })).toContain("\nreserve ");
  expect(showTrace([], { columns: 80, paint })).toBe("Nothing of the task has ended: there is no span yet.\n");
});

test("a pipe gets what a collector takes, and --send says what became of it", async () => {
  const taskonaut = new FakeTaskonaut();
  taskonaut.trace = TRACE;
  const { id } = (await taskonaut.createTask({ flow: "echo_add", input: {} })).task;
  const shown = await cli(["traces", id], { taskonaut });
  expect([shown.code, JSON.parse(shown.stdout)]).toEqual([0, TRACE]);
  const to = "http://collector:4318/v1/traces";
  const send = async (told: SentSpans): Promise<[number, unknown]> => {
    let given: readonly Span[] = [];
    const sendSpans = async (spans: readonly Span[]): Promise<SentSpans> => {
      given = spans;
      return told;
    };
    const { code, stdout } = await cli(["traces", id, "--send"], { taskonaut, wiring: { sendSpans } });
    expect(given).toEqual(SPANS);
    return [code, JSON.parse(stdout)];
  };
  const all = { sent: 5, failed: 0, to };
  const some = { sent: 2, failed: 3, reason: "it answered 503: no", to };
  expect([await send(all), await send(some)]).toEqual([
    [0, all],
    [1, some],
  ]);
});
