import { expect, test } from "bun:test";
import { refuseDropped } from "./dropped.ts";

const HEAD = 'import { all, call, sleep as rest } from "taskonaut";\nimport * as t from "taskonaut";\n';

function refusalOf(body: string): string | undefined {
  try {
    refuseDropped("flow.ts", HEAD + body);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

test.each([
  ["a statement", "{ call(charge, { at: 1 }); }", "flow.ts:3:3: call(…)"],
  ["the last one, without its semicolon", "{ a(); call(x, y) }", "flow.ts:3:8: call(…)"],
  ["one on a line of its own", "const a = yield* call(x)\nrest('1s')\nreturn a", "flow.ts:4:1: rest(…)"],
  ["of a condition", "if (a) call(x);\nelse t.sleep(1);", "flow.ts:3:8: call(…)"],
  ["by the module's name", "else t.sleep(1);", "flow.ts:3:6: t.sleep(…)"],
  ["a group", "all({ a: call(x) });", "flow.ts:3:1: all(…)"],
])("%s is refused", (_what, body, where) => {
  expect(refusalOf(body)).toStartWith(`${where} makes an operation and drops it`);
});

test.each([
  "yield* call(x);",
  "const a = call(x);",
  "const STEPS = { a: call(x), b: call(y) };\nyield* STEPS.a;",
  "return call(x);",
  "const f = () => call(x);",
  "const f = () =>\n  call(x);",
  "all([call(x)])[Symbol.iterator]();",
  "yield* all({\n  a:\n    call(x),\n});",
  "const a = b ?\n  call(x) : call(y);",
  "class A { call(x) { return x; } }",
  "interface A { call(x: string): void }",
  "const text = `${call(x)}`;",
  "// call(x);\n/* call(x); */ const s = 'call(x);';",
  "other.call(x);",
  "(call(x));",
  "yield (\n  call(x)\n);",
])("%s is none", (body) => {
  expect(refusalOf(body)).toBeUndefined();
});

test("a function of that name which is not ours is none", () => {
  expect(() => refuseDropped("a.ts", 'import { call } from "other";\ncall(x);')).not.toThrow();
});
