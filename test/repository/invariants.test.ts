// What a file holds to is numbered at its head, and cited by its number elsewhere: `// K1. …`. So no two mean the same.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { codeOf, readText, tableOf } from "./documents.ts";
import { ROOT } from "./imports.ts";

/** By number: the files at whose heads it stands. */
async function readInvariants(): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for await (const file of new Bun.Glob("{src,test}/**/*.ts").scan(ROOT)) {
    for (const [, number = ""] of (await Bun.file(join(ROOT, file)).text()).matchAll(/^\/\/ ([A-Z]{1,2}\d+)\. /gm)) {
      found.set(number, [...(found.get(number) ?? []), file]);
    }
  }
  return found;
}

const invariants = await readInvariants();

test("a number means one thing", () => {
  expect([...invariants].filter(([, files]) => files.length > 1)).toEqual([]);
});

const letters = Map.groupBy(invariants.keys(), (number) => number.replace(/\d+$/, ""));

test("a letter belongs to one file", () => {
  const filesOf = (numbers: readonly string[]): ReadonlySet<string> =>
    new Set(numbers.flatMap((number) => invariants.get(number) ?? []));
  expect([...letters].filter(([, numbers]) => filesOf(numbers).size > 1)).toEqual([]);
});

test("the numbers under a letter are 1, 2, 3 …", () => {
  expect(letters.size).toBeGreaterThan(20);
  for (const [letter, numbers] of letters) {
    const inOrder = numbers.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
    expect(inOrder).toEqual(numbers.map((_, index) => `${letter}${index + 1}`));
  }
});

test("ARCHITECTURE.md lists them with their files", async () => {
  const told = tableOf(await readText("ARCHITECTURE.md"), "number").map(([number, , file]) =>
    [number, ...codeOf(file)].join(" "),
  );
  const declared = [...invariants].map(([number, files]) => [number, ...files].join(" "));
  expect(told.toSorted()).toEqual(declared.toSorted());
});
