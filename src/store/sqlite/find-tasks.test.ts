import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import initial from "../../../sql/sqlite/0001_initial.sql" with { type: "text" };
import { SELECT_BEGINNING, SELECT_LAST } from "./find-tasks.ts";

test("a task is found by a range of its key, and the last one by the index of lists", () => {
  const database = new Database(":memory:");
  database.run(initial);
  const planOf = (statement: string, parameters: Record<string, string>): readonly string[] =>
    database
      .query<{ detail: string }, [Record<string, string>]>(`explain query plan ${statement}`)
      .all(parameters)
      .map(({ detail }) => detail);
  expect(planOf(SELECT_BEGINNING, { $from: "0", $to: "f" })).toEqual([
    "SEARCH tasks USING PRIMARY KEY (id>? AND id<?)",
  ]);
  const last = planOf(SELECT_LAST, { $flow: "order" });
  expect(last).toContain("SCAN tasks USING INDEX tasks_by_creation");
  expect(last.join()).not.toContain("TEMP B-TREE");
  database.close();
});
