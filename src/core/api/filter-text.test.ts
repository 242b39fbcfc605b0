import { describe, expect, test } from "bun:test";

import { checkFilter, filterPairs, filterText, parseFilterText, pinFilter, readFilter } from "./filter-text.ts";
import type { FilterPair, TaskFilter } from "./task-filter.ts";

const problemsOf = (...pairs: FilterPair[]): readonly string[] =>
  readFilter(pairs).errors.map(({ path, message }) => `${path}: ${message}`);

const WHOLE: TaskFilter = {
  flow: ["order", "ship"],
  status: ["PLANNED", "FAILED"],
  parked: true,
  inDoubt: true,
  needsPerson: true,
  waitingFor: ["signal:approved", "time"],
  tags: { customer: "c1", "x.y": "a=b" },
  since: "2h",
  until: "2026-11-24T08:00:00.000Z",
  updatedSince: "1d",
  updatedUntil: "2026-11-24T08:00:00.000Z",
  finishedSince: "90m",
  finishedUntil: "5s",
  error: "Timeout",
  parent: "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11",
  schedule: "nightly",
  priority: 0,
};

describe("filters as text", () => {
  test("every filter is told as it is read", () => {
    expect(readFilter(filterPairs(WHOLE))).toEqual({ filter: WHOLE, errors: [] });
    expect(parseFilterText(filterText(WHOLE))).toEqual(WHOLE);
    expect(filterText({})).toBe("");
  });

  test("the same filter has the same text, in whatever order it came", () => {
    const one = readFilter([
      ["tag", "b=2"],
      ["status", "failed"],
      ["flow", "b"],
      ["flow", "a"],
      ["tag", "a=1"],
    ]);
    const other = readFilter([
      ["flow", "a"],
      ["flow", "b"],
      ["flow", "a"],
      ["tag", "a=1"],
      ["tag", "b=2"],
      ["status", "FAILED"],
    ]);
    expect(filterText(one.filter)).toBe(filterText(other.filter));
  });

  test("what is wrong is told with what exists", () => {
    expect(problemsOf(["satus", "FAILED"])[0]).toContain("did you mean status?");
    expect(problemsOf(["status", "FALED"])[0]).toContain("did you mean FAILED?");
    expect(problemsOf(["waiting-for", "singal"])[0]).toContain("did you mean signal");
    expect(problemsOf(["tag", "customer"])).toEqual(['tag: expected key=value, got "customer"']);
    expect(problemsOf(["tag", "a=1"], ["tag", "a=2"])[0]).toContain("one value for each key");
    expect(problemsOf(["tag", `a=${"ü".repeat(129)}`])).toEqual([
      "tag: the value has 258 bytes, at most 256 are allowed",
    ]);
    expect(problemsOf(["since", "yesterday"])[0]).toContain("or how long ago: 30m, 2h, 7d");
    expect(problemsOf(["since", "1h"], ["since", "2h"])).toEqual(["since: given more than once"]);
    expect(problemsOf(["parked", "no"])).toEqual(['parked: expected true, or nothing, got "no"']);
    expect(problemsOf(["parent", "0193d3f0"])[0]).toContain("the whole id of a task");
    expect(problemsOf(["priority", "10"])[0]).toContain("from 0 to 9");
    expect(problemsOf(["error", ""])[0]).toContain("1 to 1000 characters");
    expect(problemsOf(["flow", "no flow"])[0]).toContain("name of a flow");
  });

  test("times come in more than one form", () => {
    expect(readFilter([["since", "2h ago"]]).filter).toEqual({ since: "2h" });
    // a plus in a query that was not encoded
    expect(readFilter([["since", "2026-11-24T09:00:00 01:00"]]).filter).toEqual({ since: "2026-11-24T08:00:00.000Z" });
  });

  test("a pinned filter means the same later", () => {
    const now = Date.UTC(2026, 10, 24, 8);
    expect(pinFilter({ since: "2h", flow: ["order"] }, now)).toEqual({
      since: "2026-11-24T06:00:00.000Z",
      flow: ["order"],
    });
  });

  test("a filter that came as an object is held to the same rules", () => {
    expect(checkFilter(WHOLE)).toEqual(WHOLE);
    expect(() => checkFilter({ since: "yesterday" })).toThrow(
      expect.objectContaining({ code: "input_invalid", errors: [expect.objectContaining({ path: "since" })] }),
    );
  });
});
