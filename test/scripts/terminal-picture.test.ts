// The picture of a terminal that the README shows.

import { expect, test } from "bun:test";
import { DARK, LIGHT, pictureOf } from "../../.scripts/terminal-picture.ts";

const ESCAPE = "\u001B";

test("what is seen in the end is in the picture, each stretch with its color", async () => {
  const raw = `waiting\r${ESCAPE}[K$ run\r\n${ESCAPE}[32mdone${ESCAPE}[0m ${ESCAPE}[38;5;243mgray${ESCAPE}[0m ${ESCAPE}[1mbold${ESCAPE}[0m`;
  const picture = await pictureOf(raw, 20, LIGHT);
  expect(picture).not.toContain("waiting");
  expect(picture).toContain(">$ run</text>");
  expect(picture).toMatch(/<text [^>]*fill="#116329">done<\/text>/);
  expect(picture).toMatch(/<text [^>]*fill="#767676">gray<\/text>/);
  expect(picture).toMatch(/<text [^>]*font-weight="bold">bold<\/text>/);
  expect(await pictureOf(raw, 20, DARK)).toContain('fill="#3fb950">done');
});

test("text is no markup, and a wide character takes two columns", async () => {
  const picture = await pictureOf("漢 <b>&", 20, LIGHT);
  expect(picture).toContain(">漢 &lt;b&gt;&amp;</text>");
  expect(picture).toContain('textLength="58.8"');
});

test("the pictures of the README are such pictures, of its own commands", async () => {
  const [readme, light, dark] = await Promise.all(
    ["README.md", "docs/terminal-light.svg", "docs/terminal-dark.svg"].map((path) =>
      Bun.file(new URL(`../../${path}`, import.meta.url)).text(),
    ),
  );
  for (const picture of [light, dark]) {
    const run = [...(picture ?? "").matchAll(/font-weight="bold">\$ (taskonaut [^<&]*)/g)].map(([, call = ""]) => call);
    expect(run).toHaveLength(3);
    for (const call of run) expect(readme).toContain(`\n$ ${call.trim()}`);
  }
  expect(light).toContain(`fill="${LIGHT.background}"`);
  expect(dark).toContain(`fill="${DARK.background}"`);
});
