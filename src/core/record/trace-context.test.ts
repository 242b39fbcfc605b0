// Which headers are traceparents, by the examples and the rules of https://www.w3.org/TR/trace-context/

import { expect, test } from "bun:test";
import { checkTraceparent, isMarkedSampled, readTraceparent, traceOf } from "./trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

test.each([
  ["as it came", `00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`],
  ["not sampled", `00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-00`],
  ["without the flags that nobody knows", `00-${TRACE}-${SPAN}-ff`, `00-${TRACE}-${SPAN}-03`],
  ["of a later version, as far as it is known", `01-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`],
  ["of a later version with more at its end", `cc-${TRACE}-${SPAN}-01-what-the-future`, `00-${TRACE}-${SPAN}-01`],
])("a traceparent is kept: %s", (_, text, kept) => {
  expect(readTraceparent(text)).toBe(kept);
  expect(checkTraceparent(text)).toBe(kept);
});

test.each([
  ["empty", ""],
  ["without flags", `00-${TRACE}-${SPAN}`],
  ["of the version that there is not", `ff-${TRACE}-${SPAN}-01`],
  ["of version 00 with more at its end", `00-${TRACE}-${SPAN}-01-more`],
  ["of a later version with more and no dash", `01-${TRACE}-${SPAN}-01more`],
  ["with capitals", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ["of no trace", `00-${"0".repeat(32)}-${SPAN}-01`],
  ["of no span", `00-${TRACE}-${"0".repeat(16)}-01`],
  ["too short a trace", `00-${TRACE.slice(1)}-${SPAN}-01`],
  ["two of them", `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
  ["with a line at its end", `00-${TRACE}-${SPAN}-01\n`],
])("none is: %s", (_, text) => {
  expect(readTraceparent(text)).toBeUndefined();
  expect(() => checkTraceparent(text)).toThrow("traceparent: expected version, trace id, span id and flags");
});

test("the trace of a task is that of its traceparent, or its own", () => {
  const id = "019aa1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b";
  expect(traceOf({ id, traceparent: null })).toEqual({
    traceId: "019aa1b2c3d47e5f8a6b7c8d9e0f1a2b",
    parentSpanId: null,
    flags: "01",
  });
  const traceparent = `00-${TRACE}-${SPAN}-02`;
  expect(traceOf({ id, traceparent })).toEqual({ traceId: TRACE, parentSpanId: SPAN, flags: "02" });
  expect([null, traceparent, `00-${TRACE}-${SPAN}-03`].map(isMarkedSampled)).toEqual([null, false, true]);
});
