import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Body, done, failed, pathsOf, programOf, step } from "../../../test/support/programs.ts";
import { all, race, type Member, type Operation } from "./operation.ts";
import type { Decision, Outcome, Turn } from "./program.ts";

/** A turn without the tools, which are equal in every program of a flow. */
const strip = ({ planned, abandoned }: Turn): unknown => ({
  planned: planned.map(({ path, kind, name, target, input }: Decision) => ({ path, kind, name, target, input })),
  abandoned,
});

describe("replay", () => {
  type Shape = { kind: "step"; fails: boolean } | { kind: "all" | "race" | "branch"; members: Shape[] };
  const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
    shape: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.record({ kind: fc.constant("step" as const), fails: fc.boolean() }),
      fc.record({
        kind: fc.constantFrom("all" as const, "race" as const, "branch" as const),
        members: fc.array(tie("shape"), { minLength: 1, maxLength: 4 }),
      }),
    ),
  }));

  function member(of: Shape): Member {
    if (of.kind === "step") return step("s");
    if (of.kind === "branch") return inTurn(of.members);
    return of.kind === "all" ? all(of.members.map(member)) : race(of.members.map(member));
  }
  function* inTurn(shapes: readonly Shape[]): Generator<Operation<unknown>, unknown, unknown> {
    const seen: unknown[] = [];
    for (const each of shapes) {
      try {
        seen.push(yield* member(each));
      } catch (error) {
        seen.push(String(error));
      } finally {
        if (shapes.length > 3) yield* step("cleanup");
      }
    }
    return seen;
  }

  test("of the same outcomes in the same order comes to the same decisions and the same end", () => {
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 4 }), fc.infiniteStream(fc.nat()), (shapes, lots) => {
        const run: Body = function* () {
          return yield* inTurn(shapes);
        };
        const live = programOf(run);
        const history: { path: string; outcome: Outcome }[] = [];
        const turns = [live.start()];
        const open = new Set(pathsOf(turns[0] as Turn));
        const seen = new Set(open);
        while (open.size > 0) {
          const lot = lots.next().value as number;
          const path = [...open][lot % open.size] as string;
          const outcome = lot % 3 === 0 ? failed(`f${lot}`) : done(lot);
          open.delete(path);
          history.push({ path, outcome });
          const turn = live.observe(path, outcome, 0);
          for (const decision of turn.planned) {
            expect(seen.has(decision.path)).toBe(false);
            seen.add(decision.path);
            open.add(decision.path);
          }
          for (const abandoned of turn.abandoned) expect(open.delete(abandoned)).toBe(true);
          turns.push(turn);
        }
        expect(live.end).toBeDefined();
        const again = programOf(run);
        expect(strip(again.start())).toEqual(strip(turns[0] as Turn));
        history.forEach(({ path, outcome }, i) =>
          expect(strip(again.observe(path, outcome, 0))).toEqual(strip(turns[i + 1] as Turn)),
        );
        expect(again.end).toEqual(live.end);
      }),
      { numRuns: 500 },
    );
  });
});
