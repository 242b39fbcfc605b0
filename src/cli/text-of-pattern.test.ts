import { expect, test } from "bun:test";
import fc from "fast-check";
import { textOfPattern } from "./text-of-pattern.ts";

test.each([
  String.raw`^[A-Z]{2}-\d{3}$`,
  String.raw`^(?:EUR|USD) \d+\.\d{2}$`,
  String.raw`^[a-z][a-z0-9-]*[a-z0-9]$`,
  String.raw`^(\w+)@(\w+)\.com$`,
  String.raw`^#[0-9a-f]{6}$`,
  String.raw`^[^\s/]+/[^\s/]+$`,
  String.raw`^v?\d+(?:\.\d+){2}$`,
  String.raw`^(?<area>\d{3})-x{2,}?$`,
  String.raw`^[\]\\]$`,
  String.raw`abc`,
  "",
])("a text that it matches is made of %p", (pattern) => {
  expect(textOfPattern(pattern)).toMatch(new RegExp(pattern, "u"));
});

test.each([
  String.raw`^(?=.*\d).{8,}$`,
  String.raw`^\p{L}+$`,
  String.raw`^(a)\1$`,
  "^a{5000}$",
  "^(?:(?:(?:a{99}){99}){99}){99}$",
  `^${"a".repeat(5000)}$`,
])("it gives up on %p", (pattern) => {
  expect(textOfPattern(pattern)).toBeUndefined();
});

test("whatever the pattern, it comes to an end and throws nothing", () => {
  const part = fc.constantFrom(..."^$.|()[]{}?*+\\-,:<>=!01adwsAZ".split(""));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      const pattern = parts.join("");
      try {
        RegExp(pattern, "u");
      } catch {
        return; // no contract has it
      }
      expect(["string", "undefined"]).toContain(typeof textOfPattern(pattern));
    }),
    { numRuns: 5000 },
  );
});
