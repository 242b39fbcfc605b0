import { expect, test } from "bun:test";
import { useOf } from "./name-use.ts";
import { readTokens } from "./tokens.ts";

function uses(text: string): string {
  const tokens = readTokens(text) ?? [];
  return tokens.flatMap((token, at) => (token.text === "it" ? [useOf(tokens, at)] : [])).join();
}

const READS = [
  "call(tool, { dir: it })",
  "({ *run() { return it } })",
  "join(it, 'x')",
  "join('x', it)",
  "join('x', it, 'y')",
  "[it]",
  "[...it]",
  "`${it}/x`",
  "`${a}/${it}`",
  "`${a ? `${it}` : {}}`",
  "x = it;",
  "it === x",
  "x === it",
  "a ? it : b",
  "if (it) {}",
  "for (const c of it) {}",
  "(() => it)()",
  "const x = { a: { b: it } };",
  "const x = [it];",
  "f(it as string)",
  "x({ a: it }).then(() => {})",
];

const DECLARES = [
  "const it = 1;",
  "const it: string = f(1);",
  "let it;",
  "function it() {}",
  "(it) => 1",
  "it => 1",
  "(a, it) => 1",
  "(it: string) => 1",
  "(it = 1) => 1",
  "function f(it) {}",
  "function f(a, it, b) {}",
  "({ f(it) {} })",
  "try {} catch (it) {}",
  "const { it } = x;",
  "const { a, it, b } = x;",
  "const { a: it } = x;",
  "const { a: { b: it } } = x;",
  "const [it] = x;",
  "[it, a] = x;",
  "({ a: it }) => 1",
  "function f({ a: it }) {}",
  "import { it } from 'x';",
  "import { a as it } from 'x';",
  "import it from 'x';",
  "it = 1;",
];

test("a name that is read", () => {
  for (const text of READS) expect([text, uses(text)]).toEqual([text, "reads"]);
});

test("a name that is declared or set", () => {
  for (const text of DECLARES) expect([text, uses(text)]).toEqual([text, "declares"]);
});

test("a name of a member", () => {
  for (const text of ["x.it", "x?.it", "({ it: 1 })"]) expect([text, uses(text)]).toEqual([text, "names"]);
});
