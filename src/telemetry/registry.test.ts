import { describe, expect, test } from "bun:test";
import { readExposition, valueOf } from "../../test/support/exposition.ts";
import { Registry } from "./registry.ts";

describe("a counter", () => {
  test("counts each combination of labels by itself", () => {
    const registry = new Registry();
    const counter = registry.counter("things_total", "Things.", ["color", "size"]);
    counter.of({ color: "red", size: "s" }).count += 1;
    counter.of({ color: "red", size: "s" }).count += 4;
    counter.of({ color: "red", size: "m" }).count += 1;
    expect(registry.write()).toBe(
      '# HELP things_total Things.\n# TYPE things_total counter\nthings_total{color="red",size="s"} 5\nthings_total{color="red",size="m"} 1\n',
    );
  });

  test("takes labels of any text, and keeps them apart", () => {
    const registry = new Registry();
    const counter = registry.counter("things_total", "Things with \\ and\na line.", ["a", "b"]);
    const texts = ['"', "\\", "\n", '\\"', "", "ä😀", "{}=,"];
    for (const a of texts) for (const b of texts) counter.of({ a, b }).count += 1;
    const samples = readExposition(registry.write()).get("things_total")?.samples ?? [];
    expect(samples.map(({ labels, value }) => [labels["a"], labels["b"], value])).toEqual(
      texts.flatMap((a) => texts.map((b) => [a, b, 1] as [string, string, number])),
    );
  });

  test("begins no series without end: what comes late is counted together", () => {
    const registry = new Registry();
    const counter = registry.counter("things_total", "Things.", ["name"]);
    for (let count = 0; count < 5000; count++) counter.of({ name: `n${count}` }).count += 1;
    const text = registry.write();
    expect(readExposition(text).get("things_total")?.samples).toHaveLength(2001);
    expect(valueOf(text, "things_total", { name: "other" })).toBe(3000);
    expect(valueOf(text, "things_total")).toBe(5000);
  });
});

describe("a histogram", () => {
  test("counts a value in every bucket whose bound it does not exceed", () => {
    const registry = new Registry();
    const histogram = registry.histogram("wait_seconds", "Waits.", { labels: ["flow"], bounds: [0.1, 1, 10] });
    for (const value of [0.1, 0.5, 1, 7, 10.001]) histogram.of({ flow: "order" }).observe(value);
    expect(registry.write().split("\n").slice(2)).toEqual([
      'wait_seconds_bucket{flow="order",le="0.1"} 1',
      'wait_seconds_bucket{flow="order",le="1"} 3',
      'wait_seconds_bucket{flow="order",le="10"} 4',
      'wait_seconds_bucket{flow="order",le="+Inf"} 5',
      `wait_seconds_sum{flow="order"} ${0.1 + 0.5 + 1 + 7 + 10.001}`,
      'wait_seconds_count{flow="order"} 5',
      "",
    ]);
  });

  test("has its buckets also without labels", () => {
    const registry = new Registry();
    registry
      .histogram("rows", "Rows.", { labels: [], bounds: [1] })
      .of({})
      .observe(2);
    expect(registry.write()).toContain('rows_bucket{le="1"} 0\nrows_bucket{le="+Inf"} 1\nrows_sum 2\nrows_count 1\n');
  });
});

test("a reading is what is read when it is written", () => {
  const registry = new Registry();
  let value = 1;
  registry.reading("load", "Load.", { labels: ["worker"], read: () => [[{ worker: "w" }, value]] });
  value = 2.5;
  expect(registry.write()).toEndWith('load{worker="w"} 2.5\n');
});
