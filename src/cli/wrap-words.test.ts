import { expect, test } from "bun:test";
import { wrapWords } from "./wrap-words.ts";

const TERMINAL = { isTTY: true, columns: 20 };

test("lines end between words, and a word that is too wide stays whole", () => {
  expect(wrapWords("one two three four five", TERMINAL)).toBe("one two three four\nfive");
  expect(wrapWords(`see ${"/path".repeat(6)} for it`, TERMINAL)).toBe(`see\n${"/path".repeat(6)} for it`);
  expect(wrapWords("日本語 日本語 日本語 日本語", TERMINAL)).toBe("日本語 日本語 日本語\n日本語");
  expect(wrapWords("first line\nsecond line is longer", TERMINAL)).toBe("first line\nsecond line is\nlonger");
});

test("without a terminal lines stay as they are, and controls are shown in any case", () => {
  const text = `${"word ".repeat(50)}\u001b[31m`;
  expect(wrapWords(text, { isTTY: false, columns: 20 })).toBe(`${"word ".repeat(50)}\\x1b[31m`);
  expect(wrapWords("a\tb\u001b", TERMINAL)).toBe("a\\tb\\x1b");
});
