import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findTests } from "./find-tests.ts";

const root = mkdtempSync(join(tmpdir(), "taskonaut-find-"));
afterAll(() => rmSync(root, { recursive: true }));

for (const path of [
  "order.ts",
  "order.test.ts",
  "deep/ship.spec.ts",
  "deep/node_modules/lib/lib.test.ts",
  ".taskonaut/own.test.ts",
  "flows/pay.ts",
  "flows/pay_test.ts",
  "empty/readme.md",
]) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), "");
}

function find(named: readonly string[], flowPaths: readonly string[] = []): readonly string[] {
  return findTests(named, { flowPaths, cwd: root }).map((path) => path.slice(root.length + 1));
}

test("a folder stands for all tests in it, but those of packages and of hidden folders", () => {
  expect(find(["."])).toEqual(["deep/ship.spec.ts", "flows/pay_test.ts", "order.test.ts"]);
});

test("a file and its folder give each test once", () => {
  expect(find(["order.test.ts", "."])).toEqual(["order.test.ts", "deep/ship.spec.ts", "flows/pay_test.ts"]);
});

test("where no path is named, tests are looked for where the flows are, else in the current folder", () => {
  expect(find([], [join(root, "flows")])).toEqual(["flows/pay_test.ts"]);
  expect(find([], [join(root, "flows/pay.ts")])).toEqual(["flows/pay_test.ts"]);
  expect(find([])).toContain("order.test.ts");
});

test("a path that is not there, one that is no test, and a folder without tests are told", () => {
  expect(() => find(["nope"])).toThrow(`${root}/nope: there is no such file or folder.`);
  expect(() => find(["order.ts/x"])).toThrow(`${root}/order.ts/x: there is no such file or folder.`);
  expect(() => find(["n".repeat(300)])).toThrow("its name is too long.");
  expect(() => find(["order.ts"])).toThrow("Write the tests of it in order.test.ts.");
  expect(() => find(["empty"])).toThrow(`No tests found in ${root}/empty.`);
});
