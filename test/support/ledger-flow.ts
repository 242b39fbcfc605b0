// A flow with effects that can be counted afterwards: each call of its tool is a line in a file.

import { appendFileSync, readFileSync } from "node:fs";
import * as v from "valibot";
import { defineFlow, type Flow } from "../../src/core/flow/flow.ts";
import { all, call } from "../../src/core/flow/operation.ts";
import { defineTool } from "../../src/core/flow/tool.ts";
import { add } from "../../src/flows/tools.ts";

/** The tool is at-least-once; `atCall` stands in its middle, after the effect. */
export function ledgerFlow(path: string, atCall: () => void = () => {}): Flow {
  const append = defineTool({
    name: "append",
    input: v.string(),
    output: v.string(),
    run: async (line, { idempotencyKey }) => {
      appendFileSync(path, `${idempotencyKey} ${line}\n`);
      atCall();
      return `wrote ${line}`;
    },
  });
  return defineFlow({
    name: "ledger",
    input: v.object({}),
    *run() {
      const first = yield* call(append, "first");
      const { sum } = yield* call(add, { a: 1, b: 2 });
      const both = yield* all({ left: call(append, "left"), right: call(append, `right ${sum}`) });
      return { first, both };
    },
  });
}

export const LEDGER_OUTPUT = { first: "wrote first", both: { left: "wrote left", right: "wrote right 3" } };

/** The lines of the file, by idempotency key. */
export function readLedger(path: string): Map<string, string[]> {
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  const byKey = new Map<string, string[]>();
  for (const line of lines) {
    const [key = "", ...rest] = line.split(" ");
    byKey.set(key, [...(byKey.get(key) ?? []), rest.join(" ")]);
  }
  return byKey;
}
