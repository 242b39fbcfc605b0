// Keys of groups are the user's: any text.

import { expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import { defineFlow } from "./flow.ts";
import { all, call, type Member, type Operation } from "./operation.ts";
import { createProgram } from "./create-program.ts";
import { defineTool } from "./tool.ts";

const work = defineTool({ name: "work", input: v.unknown(), output: v.unknown(), run: () => null });

/** A step, a branch of things one after the other, or a group of things by key. */
type Tree =
  | { readonly step: number }
  | { readonly branch: readonly Tree[] }
  | { readonly group: readonly (readonly [string, Tree])[] };

const key = fc.oneof(
  // of these some would meet if they were not escaped
  { arbitrary: fc.constantFrom("a", "a/0", "a/1", "a.a", "a/0.a"), weight: 3 },
  fc.constantFrom("a%002f0", "__proto__", "constructor", "", "7", "\0", "\ud800", "x".repeat(300), "x".repeat(301)),
);

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ step: fc.nat() }),
    fc.record({ branch: fc.array(tie("tree"), { maxLength: 3 }) }),
    fc.record({ group: fc.uniqueArray(fc.tuple(key, tie("tree")), { selector: ([name]) => name, maxLength: 4 }) }),
  ),
}));

function memberOf(of: Tree): Member {
  if ("step" in of) return call(work, of.step);
  if ("branch" in of) return branchOf(of.branch);
  return all(Object.fromEntries(of.group.map(([name, member]) => [name, memberOf(member)])));
}

function* branchOf(trees: readonly Tree[]): Generator<Operation<unknown>, unknown, unknown> {
  const seen: unknown[] = [];
  for (const one of trees) seen.push(yield* memberOf(one));
  return seen;
}

function outputOf(of: Tree): unknown {
  if ("step" in of) return of.step;
  if ("branch" in of) return of.branch.map(outputOf);
  return Object.fromEntries(of.group.map(([name, member]) => [name, outputOf(member)]));
}

function stepsOf(of: Tree): number {
  if ("step" in of) return 1;
  const members = "branch" in of ? of.branch : of.group.map(([, member]) => member);
  return members.reduce((sum, member) => sum + stepsOf(member), 0);
}

test("a flow of any shape has a path for each of its steps, and gives back its keys as they are", () => {
  fc.assert(
    fc.property(tree, fc.infiniteStream(fc.nat()), (shape, lots) => {
      const flow = defineFlow({
        name: "sample",
        input: v.unknown(),
        *run() {
          return yield* branchOf([shape]);
        },
      });
      const program = createProgram(flow, {
        id: "0193d3f0-7c1e-7b7a-9c5e-2f6f6f0c8a11",
        input: "null",
        createdAt: 0,
        stepsMax: 1000,
      });
      const open = [...program.start().planned];
      const paths = new Set(open.map(({ path }) => path));
      while (open.length > 0) {
        const [{ path, input } = { path: "", input: "" }] = open.splice((lots.next().value ?? 0) % open.length, 1);
        for (const decision of program.observe(path, { kind: "completed", output: input }, 0).planned) {
          open.push(decision);
          paths.add(decision.path);
        }
      }
      expect(paths.size).toBe(stepsOf(shape));
      expect(program.end).toEqual({ kind: "completed", output: JSON.stringify([outputOf(shape)]) });
    }),
    { numRuns: 500 },
  );
});
