import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { markFinally } from "./mark-finally.ts";

const BEGIN = /const \$taskonaut=globalThis\[Symbol\.for\("taskonaut\.finally"\)\]\(\);try\{/g;
const END = /\}finally\{\$taskonaut\(\)\}/g;

/** Shows a mark at the beginning of a block as `<`, and one at its end as `>`. */
function marksOf(text: string): string {
  return markFinally(text).replaceAll(BEGIN, "<").replaceAll(END, ">");
}

test.each([
  ["a block", "try { a() } finally { b() }", "try { a() } finally {< b() >}"],
  ["one in another", "try{}finally{try{}finally{x}}", "try{}finally{<try{}finally{<x>}>}"],
  ["comments before it", "try {} finally /* { */ // {\n{ x }", "try {} finally /* { */ // {\n{< x >}"],
  ["a comment at its end", "try {} finally { x // }\n}", "try {} finally {< x // }\n>}"],
  ["braces in it", "try {} finally { if (x) { y({}) } }", "try {} finally {< if (x) { y({}) } >}"],
  [
    "in a template",
    "`${() => { try {} finally { `}${x}` } }} finally {`",
    "`${() => { try {} finally {< `}${x}` >} }} finally {`",
  ],
])("%s is marked", (_name, text, marked) => {
  expect(marksOf(text)).toBe(marked);
});

test.each([
  "promise.finally(() => {})",
  "class A { finally() { x } }",
  "const a = { finally: { x } }",
  "'try {} finally {}'",
  '"\\" finally {"',
  "`finally { \\` ${'finally {'} $ finally {`",
  "/finally {[/]'/.test(x)",
  "a = b / c; /* finally { */ d = '/ finally {'",
  "x // finally {",
  "return /[`'\"]/g",
  "try {} finally {", // its braces do not match, and the import reports that
  "} try {} finally {}",
])("%s stays as it is", (text) => {
  expect(markFinally(text)).toBe(text);
});

test("a slash that divides begins no regular expression, and one that is none ends with its line", () => {
  expect(marksOf("a(b) / 2; try {} finally { c / 'x' / 2 }")).toBe("a(b) / 2; try {} finally {< c / 'x' / 2 >}");
  expect(marksOf("x = <p>it's 1/2</p>\ntry {} finally { y }")).toBe("x = <p>it's 1/2</p>\ntry {} finally {< y >}");
});

test("this program's own sources are parsed to the same number of blocks, and no line moves", async () => {
  const root = join(import.meta.dir, "..");
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  const names = (await readdir(root, { recursive: true })).filter((name) => /(?<!\.d)\.ts$/.test(name));
  let count = 0;
  for (const name of names) {
    if (name.startsWith("flows/mark-finally")) continue; // this file contains the marks themselves
    const text = await Bun.file(join(root, name)).text();
    const marked = markFinally(text);
    const blocks = marked.match(END)?.length ?? 0;
    expect(marked.match(BEGIN)?.length ?? 0).toBe(blocks);
    expect(marked.split("\n").length).toBe(text.split("\n").length);
    if (/\busing\b/.test(text)) continue; // the transpiler rewrites it with additional blocks
    const expected = transpiler.transformSync(text).match(/\} finally \{$/gm)?.length ?? 0;
    expect([name, blocks]).toEqual([name, expected]);
    transpiler.transformSync(marked);
    count += blocks;
  }
  expect(count).toBeGreaterThan(20);
});
