// What the dashboard's tests look at. A charge of so many cents is declined until there is a file `paid-<cents>`.

export const FLOWS = {
  "order.ts": `
  import { existsSync } from "node:fs";
  import { all, call, defineFlow, defineTool, runChild, sleep, waitForSignal } from "taskonaut";
  import * as v from "valibot";
  const charge = defineTool({
    name: "charge", input: v.object({ cents: v.number() }), output: v.object({ cents: v.number() }),
    retry: { attempts: 2, base: "1ms" },
    run({ cents }) {
      if (!existsSync("paid-" + cents)) throw new Error("card declined");
      return { cents };
    },
  });
  const print = defineTool({
    name: "print", execution: "at-most-once", input: v.object({}), output: v.object({ pages: v.number() }), timeout: "50ms",
    async run() { await Bun.sleep(600_000); return { pages: 1 }; },
  });
  const mail = defineTool({
    name: "mail", input: v.object({}), output: v.null(), run: () => null,
    limits: { name: "mail_server", rate: { count: 1, per: "1h" } },
  });
  const load = defineTool({
    name: "load", input: v.object({}), output: v.null(), timeout: "1h",
    async run(_, ctx) { ctx.progress({ done: 40, total: 100, message: "rows" }); await Bun.sleep(600_000); return null; },
  });
  const one = defineTool({ name: "one", execution: "pure", input: v.number(), output: v.number(), run: (n) => n });
  export const order = defineFlow({
    name: "order", description: "Charges an order.",
    tags: ({ cents, group }) => ({ size: cents > 100 ? "large" : "small", group }),
    schedules: [{ name: "nightly", cron: "30 2 * * *", timeZone: "Europe/Berlin", input: { cents: 7 } }],
    input: v.object({
      cents: v.pipe(v.number(), v.integer()), note: v.optional(v.string(), "none"), rush: v.optional(v.boolean(), false),
      group: v.optional(v.string(), "none"),
    }),
    *run({ cents }) { return yield* call(charge, { cents }); },
  });
  export const approval = defineFlow({
    name: "approval", input: v.object({}), signals: { approved: v.object({ by: v.string() }) },
    *run() { return yield* waitForSignal("approved"); },
  });
  export const family = defineFlow({
    name: "family", input: v.object({}),
    *run() { yield* sleep("1ms"); return yield* runChild(order, { cents: 5 }); },
  });
  const write = defineTool({ name: "write", input: v.number(), output: v.array(v.number()), run: (n) => Array.from({ length: n }, (_, k) => k) });
  export const long = defineFlow({ name: "long", input: v.object({}), *run() { return yield* call(write, 100_000); } });
  export const paused = defineFlow({ name: "paused", input: v.object({}), *run() { return yield* call(one, 1); } });
  export const mailing = defineFlow({ name: "mailing", input: v.object({}), *run() { return yield* call(mail, {}); } });
  export const loading = defineFlow({ name: "loading", input: v.object({}), *run() { return yield* call(load, {}); } });
  export const doubtful = defineFlow({ name: "doubtful", input: v.object({}), *run() { return yield* call(print, {}); } });
  export const many = defineFlow({
    name: "many", input: v.object({}),
    *run() { yield* all(Array.from({ length: 5000 }, (_, n) => call(one, n))); return null; },
  });
`,
};
