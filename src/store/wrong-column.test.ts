import { describe, expect, test } from "bun:test";

import { PAUSES, TASKS, TOKENS } from "./tables.ts";
import type { PauseRow } from "./pause-store.ts";
import { judge, wrongColumn } from "./wrong-column.ts";

const PAUSE: PauseRow = {
  scope: "tool",
  name: "pay",
  id: "0000000a-0000-4000-8000-000000000000",
  reason: null,
  made_by: "ada",
  aborts: 0,
  since: 1,
};

describe("a row", () => {
  test("that holds what its table takes is sound, and given as it is", () => {
    expect(wrongColumn(PAUSES, PAUSE)).toBeUndefined();
    expect(judge(PAUSES, PAUSE)).toBe(PAUSE);
  });

  test.each<[over: Readonly<Record<string, unknown>>, says: string]>([
    [{ scope: 7 }, "its scope is not a text"],
    [{ scope: "frob" }, 'its scope is "frob", which does not exist'],
    [{ scope: null }, "its scope is missing"],
    [{ name: 7 }, "its name is not a text"],
    [{ name: "", scope: "tool" }, "it breaks the rule all_has_no_name"],
    [{ id: 1.5 }, "its id is not a UUID"],
    [{ reason: new Uint8Array(2) }, "its reason is not a text"],
    [{ aborts: 2 }, "its aborts is 2"],
    [{ aborts: 0.5 }, "its aborts is not a whole number"],
    [{ aborts: "0" }, "its aborts is not a whole number"],
    [{ since: Number.POSITIVE_INFINITY }, "its since is not a time"],
    [{ since: 9e15 }, "its since is not a time"],
    [{ since: "now" }, "its since is not a time"],
  ])("%p is told with the column, and what can be shown of it", (over, says) => {
    const row = { ...PAUSE, ...over } as PauseRow;
    expect(wrongColumn(PAUSES, row)).toBe(says);
    const { damage, ...readable } = judge(PAUSES, row);
    expect(damage).toBe(says);
    if (!says.includes("rule")) expect(wrongColumn(PAUSES, readable)).toBeUndefined();
  });
});

test("the harmless value of a token lets it do least", () => {
  const words = [TOKENS.columns.role.words?.[0], TOKENS.columns.flows.json];
  expect(words).toEqual(["viewer", "names"]);
  expect(TASKS.columns.status.words).toHaveLength(6);
});
