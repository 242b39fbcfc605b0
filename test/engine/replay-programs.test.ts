// Flows made by lot from every construct: run live, with an engine of its own for each transition, and with engines that
// die at writes drawn by lot, they come to the same end by the same decisions.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import {
  all,
  call,
  defineFlow,
  map,
  now,
  race,
  random,
  runChild,
  sleep,
  uuid,
  waitForSignal,
  type Member,
  type Operation,
} from "../../src/sdk/taskonaut.ts";
import { fail, leaf, note, patient, work } from "../support/construct-flows.ts";
import { DATABASES } from "../support/databases.ts";
import { World } from "../support/mortal-store.ts";
import { advanceToEnd, breaches, rowsOf, runToEnd } from "../support/scripts.ts";
import { useWorlds } from "../support/worlds.ts";
import { effort } from "../support/effort.ts";

type Shape =
  | { kind: "work" | "note" | "fail" | "sleep" | "signal" | "timeout" | "child" | "patient" | "draw" }
  | { kind: "all" | "race" | "map" | "turn" | "try" | "finally"; members: Shape[] };

const LEAVES = ["work", "note", "fail", "sleep", "signal", "timeout", "child", "patient", "draw"] as const;
const GROUPS = ["all", "race", "map", "turn", "try", "finally"] as const;

const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({ kind: fc.constantFrom(...LEAVES) }),
    fc.record({
      kind: fc.constantFrom(...GROUPS),
      members: fc.array(tie("shape"), { minLength: 1, maxLength: 3 }),
    }),
  ),
}));

type Body = Generator<Operation<unknown>, unknown, unknown>;

function memberOf(of: Shape): Member {
  switch (of.kind) {
    case "work":
      return call(work, "w");
    case "note":
      return call(note, "n");
    case "fail":
      return call(fail, "f");
    case "sleep":
      return sleep("1h");
    case "signal":
      return waitForSignal("go");
    case "timeout":
      return waitForSignal("never", { timeout: "30m" });
    case "child":
      return runChild(leaf, "c");
    case "patient":
      return runChild(patient, "p");
    case "draw":
      return draw();
    case "all": {
      // a failure gives up what its neighbours wait for: of two that wait for the world outside, it would decide which one
      // is answered first, and of one that waits after other steps, whether it comes to wait; the order of outcomes decides
      // that, which is not the same in every run
      const waiting = of.members.filter(waits);
      const isOrdered = waiting.length <= 1 && !waiting.some((each) => "members" in each);
      return all(of.members.map((each) => (isOrdered ? memberOf(each) : inTurn("try", [each]))));
    }
    case "race":
      // of two that both do something, the order of their outcomes would decide; here one always wins
      return race([inTurn("turn", of.members), sleep("1000d"), waitPatiently()]);
    case "map":
      // caught one by one: how many are begun before the first failure depends on the order of outcomes
      return map(of.members, (member) => inTurn("try", [member]), { concurrency: 2 });
    case "turn":
    case "try":
    case "finally":
      return inTurn(of.kind, of.members);
  }
}

/** Whether something of it comes from the world outside: a signal, time, the end of another task. */
function waits(of: Shape): boolean {
  if ("members" in of) return of.members.some(waits);
  return of.kind !== "work" && of.kind !== "note" && of.kind !== "fail" && of.kind !== "draw";
}

function* waitPatiently(): Body {
  try {
    return yield* sleep("1001d");
  } finally {
    yield* call(work, "lost");
  }
}

function* draw(): Body {
  const drawn = [uuid(), random()];
  yield* call(note, "drawn");
  return [...drawn, uuid()];
}

function* inTurn(kind: "turn" | "try" | "finally", shapes: readonly Shape[]): Body {
  const seen: unknown[] = [];
  let time = now().getTime();
  for (const of of shapes) {
    try {
      const member = memberOf(of);
      seen.push(yield* member);
    } catch (error) {
      if (kind !== "try") throw error;
      seen.push(error instanceof Error ? error.message : String(error));
    } finally {
      if (kind === "finally") yield* call(work, "cleanup");
    }
    if (now().getTime() < time) throw new Error("now() went back");
    time = now().getTime();
  }
  return seen;
}

const program = fc.array(shape, { minLength: 1, maxLength: 3 });

describe.each(DATABASES)("on %s", (name, create) => {
  const worlds = useWorlds(create);

  test("come to the same decisions and the same end, however they are driven", async () => {
    await fc.assert(
      fc.asyncProperty(
        program,
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 }),
        async (shapes, gaps) => {
          const flow = defineFlow({
            name: "random",
            input: v.unknown(),
            signals: { go: v.unknown(), never: v.unknown() },
            *run() {
              return yield* inTurn("try", shapes);
            },
          });
          const drive = async (how: (world: World, id: string) => Promise<unknown>): Promise<unknown> => {
            // some of them die with every step that runs beside the one that ends
            const world = new World(worlds.store, [flow, leaf, patient], { deaths: 1000 });
            world.stopTime();
            const { task } = await world.engine().engine.createTask({ flow: "random", input: null });
            await how(world, task.id);
            const record = await world.read(task.id);
            expect(record && breaches(record)).toEqual([]);
            const rows = await rowsOf(world, task.id);
            await world.end();
            return essence(rows as Rows);
          };
          const live = await drive((world, id) => runToEnd(world, id));
          expect(await drive((world, id) => advanceToEnd(world, id))).toEqual(live);
          expect(
            await drive((world, id) => {
              let next = 1;
              const left = [...gaps];
              world.listener = ({ write }) => {
                if (write < next || left.length === 0) return undefined;
                next = write + (left.shift() ?? 1);
                return "die";
              };
              return runToEnd(world, id);
            }),
          ).toEqual(live);
        },
      ),
      {
        numRuns: name === "sqlite" ? effort({ check: 40, long: 100 }) : effort({ check: 5, long: 15 }),
        // a program is long: its shrinking would take minutes
        endOnFailure: true,
        includeErrorInReport: true,
      },
    );
  }, 120_000);
});

interface Rows {
  readonly task: { readonly status: string; readonly output: string | null; readonly error: string | null };
  readonly steps: readonly { readonly path: string; readonly index: number; readonly status: string }[];
  readonly calls: readonly { readonly step: number }[];
  readonly children: readonly (Rows | null)[];
}

/**
 * What is the same in every run. In which order members of a group ends is not; what is drawn depends on
 * the task's id.
 */
function essence(rows: Rows | null): unknown {
  if (!rows) return null;
  const { task, steps, calls, children } = rows;
  const pathOf = new Map(steps.map((step) => [step.index, step.path]));
  const text = JSON.stringify({
    end: [task.status, task.output, task.error],
    steps: steps.map((step) => ({ ...step, index: 0, outcome: 0 })).toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    calls: calls
      .map((made) => ({ ...made, step: pathOf.get(made.step) ?? "" }))
      .toSorted((a, b) => (a.step < b.step ? -1 : 1)),
    children: children.map(essence).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  });
  return JSON.parse(text.replaceAll(UUID, "<uuid>").replaceAll(/0\.\d{6,}/g, "0.5")) as unknown;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
