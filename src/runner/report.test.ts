import { expect, test } from "bun:test";
import { Report } from "./report.ts";

const HEAD = "bun test v1.4.5 (a7733435c)\n\n";
const COLOURED = "\u001b[0m\u001b[1mbun test \u001b[0m\u001b[2mv1.4.5 (a7733435c)\u001b[0m\n\n";

function shown(...pieces: readonly string[]): string {
  const report = new Report();
  return pieces.map((piece) => report.take(piece)).join("") + report.end();
}

test("the line in which the runner names itself is not shown, nor the empty one after it", () => {
  expect(shown(`${HEAD}order.test.ts:\n(pass) an order\n`)).toBe("order.test.ts:\n(pass) an order\n");
  expect(shown(`${COLOURED}order.test.ts:\n`)).toBe("\u001b[0m\u001b[1morder.test.ts:\n");
});

test("a head is known in whatever pieces it comes", () => {
  const text = `${COLOURED}\norder.test.ts:\n\n 1 pass\n`;
  const whole = shown(text);
  expect(shown(...text.split(""))).toBe(whole);
  expect(whole).toContain("order.test.ts:\n\n 1 pass\n");
});

test("what clears the screen before a head still does", () => {
  expect(shown(`\u001b[2J\u001b[3J\u001b[H${HEAD}order.test.ts:\n`)).toBe("\u001b[2J\u001b[3J\u001b[Horder.test.ts:\n");
});

test("text without a line break is shown at once, unless it may become a head", () => {
  const report = new Report();
  expect(report.take("loading …")).toBe("loading …");
  expect(report.take(" done\nbun te")).toBe(" done\n");
  expect(report.take("a\n")).toBe("bun tea\n");
});

test("a line of a test that speaks of the runner is shown", () => {
  expect(shown("I like bun test v1\nbun tests\n")).toBe("I like bun test v1\nbun tests\n");
});
