import { expect, test } from "bun:test";
import { readFlowFigures } from "../../src/ui/read-metrics.ts";

test("of the metrics those are read that have a flow and nothing else", () => {
  const text = [
    "# HELP taskonaut_tasks_due Tasks that are due.",
    'taskonaut_tasks_due{flow="order"} 12',
    'taskonaut_tasks_due{flow="report"} 0',
    'taskonaut_oldest_due_seconds{flow="order"} 3.5',
    'taskonaut_tasks{flow="order",status="FAILED"} 2',
    "taskonaut_workers 1",
  ].join("\n");
  expect(readFlowFigures(text)).toEqual(
    new Map([
      [
        "taskonaut_tasks_due",
        new Map([
          ["order", 12],
          ["report", 0],
        ]),
      ],
      ["taskonaut_oldest_due_seconds", new Map([["order", 3.5]])],
    ]),
  );
});
