// A flow and its tools, in one file. In this folder `taskonaut flows` lists it, and
// `taskonaut run-flow order --sku A1 --qty 2` runs it; from elsewhere, `--flows <folder>` names it.

import { all, call, defineFlow, defineTool } from "taskonaut";
import * as v from "valibot";

// A tool does the work: it may read a clock, a file or the network. Its result is recorded, so it is asked only once.
const getPrice = defineTool({
  // The name is stored with every call: do not change it later.
  name: "get_price",
  description: "Looks up what an article costs.",
  // Contracts: checked before the call and after it.
  input: v.object({ sku: v.string() }),
  output: v.object({ cents: v.number() }),
  // Tried again when it throws: up to 5 times, after 200 ms, 400 ms, …
  retry: { attempts: 5, base: "200ms" },
  run: async ({ sku }, { signal }) => {
    // A real one would ask a service: await fetch(`https://…/${sku}`, { signal })
    signal.throwIfAborted();
    return { cents: 100 * sku.length };
  },
});

const reserve = defineTool({
  name: "reserve",
  description: "Takes articles from the stock.",
  input: v.object({ sku: v.string(), qty: v.number() }),
  output: v.object({ reservation: v.string() }),
  // After a crash it may be called again, always with the same key: the other side can tell that it is the same call.
  execution: "at-least-once",
  run: ({ sku, qty }, { idempotencyKey, log }) => {
    log.info?.("reserved", { sku, qty });
    return { reservation: idempotencyKey };
  },
});

// A flow decides what happens. It must come to the same decisions when it is replayed after a crash: no clock, no
// random numbers, no files in here. Each `yield*` is a recorded step.
export default defineFlow({
  name: "order",
  description: "Prices an order and takes its articles from the stock.",
  // What `run-flow` asks for, what `--sku` and `--qty` fill in, and what `POST /flows/order/tasks` takes.
  input: v.object({
    sku: v.pipe(v.string(), v.minLength(2), v.description("the article, such as A1")),
    qty: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.description("how many of it")), 1),
  }),
  *run({ sku, qty }) {
    // Both at once. If one fails, the other finishes first; then the error is thrown here and can be caught.
    const { price, stock } = yield* all({
      price: call(getPrice, { sku }),
      stock: call(reserve, { sku, qty }),
    });
    // What it returns is the task's output.
    return { sku, qty, total_cents: price.cents * qty, reservation: stock.reservation };
  },
});
