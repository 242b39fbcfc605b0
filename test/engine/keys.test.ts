// Keys of groups hold any text: it comes back as it was, and no step is lost, whatever the store makes of such text.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow } from "../../src/core/flow/flow.ts";
import { all, call, type Member, type Operation } from "../../src/core/flow/operation.ts";
import { note, work } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import { useWorlds } from "../support/worlds.ts";

const KEYS = [
  "a",
  "a/0",
  "a.b",
  "%",
  "%002f",
  "",
  "__proto__",
  "10",
  "2",
  "\0",
  "\ud800",
  "\ud801",
  "é",
  "x".repeat(3000),
];

const byKey = <T>(of: (key: string) => T): Record<string, T> => Object.fromEntries(KEYS.map((key) => [key, of(key)]));

function* branch(key: string): Generator<Operation<unknown>, unknown, unknown> {
  return [yield* call(work, key), yield* call(note, key)];
}

const keyed = defineFlow({
  name: "keyed",
  input: v.unknown(),
  *run() {
    const members = yield* all(byKey<Member>((key) => (key.length % 2 === 0 ? call(work, key) : branch(key))));
    // a step of this group would stand where a branch of the next has its first
    yield* all({ "a/0": call(note, 1), a: branch("a") });
    return members;
  },
});

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  test("a flow with keys of any text ends, live and on replay, and its output has them as they were", async () => {
    const world = worlds.open([keyed]);
    const { task } = await world.engine().engine.createTask({ flow: "keyed", input: null });
    for (let transitions = 0; transitions < 8; transitions++) await world.engine().engine.advanceTask(task.id);
    const ended = await world.engine().engine.runTask(task.id);
    expect(ended).toMatchObject({ status: "COMPLETED", error_message: null });
    const expected = byKey((key) => (key.length % 2 === 0 ? key : [key, key]));
    expect(Object.entries(ended.output_payload ?? {})).toEqual(Object.entries(expected));
    expect(new Set(ended.steps.map((step) => step.id)).size).toBe(ended.steps.length);
  });
});
