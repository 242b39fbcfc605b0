// The flows of the server whose document is tested: signals, limits, recursive inputs, a step in doubt and one that fails.

import * as v from "valibot";
import { call, defineFlow, defineTool, sleep, waitForSignal } from "../../src/sdk/taskonaut.ts";
import { Gate } from "./tools.ts";

/** In doubt after a millisecond. */
export const charge = new Gate("charge", { execution: "at-most-once", timeout: 1 });
const refuse = defineTool({
  name: "refuse",
  input: v.unknown(),
  output: v.unknown(),
  retry: { attempts: 1 },
  run: () => {
    throw new TypeError("no", { cause: new AggregateError([new Error("a")], "both") });
  },
});
/** A line of an order may hold lines itself. */
interface Line {
  readonly sku: string;
  readonly lines?: readonly Line[] | undefined;
}
const Line: v.GenericSchema<Line> = v.object({ sku: v.string(), lines: v.optional(v.array(v.lazy(() => Line))) });
const order = defineFlow({
  name: "order",
  description: "Sells something.",
  input: v.object({ sku: v.pipe(v.string(), v.minLength(2)), line: v.optional(Line) }),
  signals: { approved: v.object({ by: v.string() }) },
  *run({ sku }) {
    yield* waitForSignal("approved");
    return yield* call(charge.tool, sku);
  },
});
export const other = defineFlow({
  name: "other",
  input: v.unknown(),
  signals: { approved: v.string() },
  limits: { running: 9 },
  *run() {
    yield* call(refuse, null);
  },
});
const naps = defineFlow({
  name: "naps",
  input: v.object({}),
  *run() {
    yield* sleep("30d");
  },
});
export const FLOWS = [order, other, naps];
