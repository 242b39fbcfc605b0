// A form for each kind of schema that a flow's input may have: what is filled in is what the server gets.

import { afterAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { alternativesOf, boundsOf, choicesOf, resolve, type Schema, wordsOf } from "../../src/ui/schema.ts";
import { CHROMIUM, closeBrowser, openDashboard } from "./browser.ts";

const inBrowser = test.skipIf(CHROMIUM === undefined);

afterAll(closeBrowser);

const FLOWS = {
  "shapes.ts": `
  import { defineFlow } from "taskonaut";
  import * as v from "valibot";
  const tree = v.object({ leaf: v.string(), below: v.optional(v.lazy(() => tree)) });
  export const shapes = defineFlow({
    name: "shapes",
    input: v.object({
      text: v.string(), mail: v.optional(v.pipe(v.string(), v.email())), none: v.nullable(v.string()),
      big: v.number(), part: v.optional(v.pipe(v.number(), v.minValue(1), v.multipleOf(2))), seven: v.optional(v.number(), 7),
      yes: v.boolean(), maybe: v.optional(v.boolean()), pick: v.picklist(["a", "b"]), one: v.union([v.literal("x"), v.literal(3)]),
      fixed: v.literal("x"), list: v.array(v.object({ a: v.string(), b: v.optional(v.boolean(), false) })),
      numbers: v.optional(v.array(v.number()), [1, 2]), inner: v.object({ n: v.number() }),
      person: v.optional(v.object({ who: v.string(), adult: v.boolean() })), left: v.optional(v.object({ who: v.string() })),
      either: v.union([v.string(), v.number()]), other: v.optional(v.union([v.string(), v.array(v.string())])),
      pay: v.variant("kind", [v.object({ kind: v.literal("card"), number: v.string() }), v.object({ kind: v.literal("cash"), coins: v.number() })]),
      both: v.intersect([v.object({ p: v.string() }), v.object({ q: v.string() })]),
      record: v.record(v.string(), v.number()), tree, any: v.any(),
    }),
    *run() { return null; },
  });
`,
};

/** The control with just this label, the place-th of them. */
const field = (page: Page, name: string, place = 0) =>
  page
    .locator("label.field", { has: page.locator("span", { hasText: new RegExp(`^${name}( required)?$`) }) })
    .nth(place)
    .locator("input, select, textarea");

/**
 * Types into the field with the focus, and gives the command that the form shows when the next event comes: a message,
 * which comes before the browser draws.
 */
const TYPE_AND_READ = `(async () => {
  const control = document.activeElement;
  control.value = "typed";
  control.dispatchEvent(new InputEvent("input", { bubbles: true }));
  const { port1, port2 } = new MessageChannel();
  await new Promise((resolve) => {
    port2.onmessage = resolve;
    port1.postMessage(null);
  });
  port1.close();
  return document.querySelector(".creates code").textContent;
})()`;

describe("the form of a schema", () => {
  inBrowser("has a field for each kind of value, and gives it as it was typed", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page, server } = dashboard;
    await dashboard.open("/start/shapes");
    const start = page.getByRole("button", { name: "Start", exact: true });
    await start.waitFor();
    // nothing is chosen for a person: the browser says what is missing
    await start.click();
    expect(await page.locator("select:invalid").count()).toBe(3);
    await field(page, "text").fill("two\nlines");
    await page.getByLabel("Form of none").selectOption("null");
    await field(page, "big").fill("12e");
    await field(page, "yes").selectOption("false");
    await field(page, "pick").selectOption("b");
    await field(page, "one").selectOption("3");
    await page.getByRole("button", { name: "Add to list" }).click();
    await field(page, "a").fill("first");
    await field(page, "n").fill("9007199254740991");
    await page.getByRole("button", { name: "Give person" }).click();
    await field(page, "who").fill("Ada");
    await field(page, "adult").selectOption("true");
    await page.getByRole("button", { name: "Give left" }).click();
    await page.getByRole("button", { name: "Leave out left" }).click();
    await field(page, "either").fill("a text");
    await page.getByLabel("Form of either").selectOption("number");
    await field(page, "either", 1).fill("-0.50");
    await page.getByLabel("Form of pay").selectOption("kind cash");
    await field(page, "coins").fill("3");
    await field(page, "p").fill("1");
    await field(page, "q").fill("2");
    await field(page, "record").fill('{"x": 1e2}');
    await field(page, "leaf").fill("top");
    await page.getByRole("button", { name: "Give below" }).click();
    await field(page, "leaf", 1).fill("bottom");
    await field(page, "any").fill("[null]");
    await dashboard.picture("shapes");
    await start.click();
    // what is no number is told for its field, and everything else stays
    await page.getByRole("alert").getByText("big", { exact: true }).waitFor();
    expect(await field(page, "either", 1).inputValue()).toBe("-0.50");
    await field(page, "big").fill("4.50e3");
    await start.click();
    await page.waitForURL(/\/ui\/tasks\//);
    const id = page.url().split("/").at(-1);
    const { input_payload: input } = (await (await fetch(`${server.url}/tasks/${id}`)).json()) as {
      input_payload: unknown;
    };
    expect(input).toEqual({
      text: "two\nlines",
      none: null,
      big: 4500,
      seven: 7,
      yes: false,
      pick: "b",
      one: 3,
      fixed: "x",
      list: [{ a: "first", b: false }],
      numbers: [1, 2],
      inner: { n: Number.MAX_SAFE_INTEGER },
      person: { who: "Ada", adult: true },
      either: -0.5,
      pay: { kind: "cash", coins: 3 },
      both: { p: "1", q: "2" },
      record: { x: 100 },
      tree: { leaf: "top", below: { leaf: "bottom" } },
      any: [null],
    });
  });

  inBrowser("sends a text with Enter, and begins a line with Shift and Enter", async () => {
    await using dashboard = await openDashboard({
      flows: {
        "note.ts": `
          import { defineFlow } from "taskonaut";
          import * as v from "valibot";
          export const note = defineFlow({ name: "note", input: v.object({ note: v.string() }), *run({ note }) { return note; } });
        `,
      },
    });
    const { page } = dashboard;
    await dashboard.open("/start/note");
    await page.getByLabel("note").focus();
    await page.keyboard.type("one");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("two");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /note COMPLETED/ }).waitFor();
    const output = page.locator(".payload", { hasText: "Output" }).locator("pre");
    expect(await output.textContent()).toBe(String.raw`"one\ntwo"`);
  });

  inBrowser("knows what was typed before the next event, however deep the field is", async () => {
    await using dashboard = await openDashboard({ flows: FLOWS });
    const { page } = dashboard;
    await dashboard.open("/start/shapes");
    await page.getByRole("button", { name: "Give below" }).click();
    for (const [place, told] of ['"leaf": "typed"', '"below": {"leaf": "typed"}'].entries()) {
      await field(page, "leaf", place).focus();
      expect(await page.evaluate<string>(TYPE_AND_READ)).toContain(told);
    }
  });

  test("reads references, and joins what a value has to be at once", () => {
    const root: Schema = {
      $ref: "#/$defs/a",
      $defs: { a: { $ref: "#/$defs/b" }, b: { type: "string" }, loop: { $ref: "#/$defs/loop" } },
    };
    expect(resolve(root, root)).toEqual({ type: "string" });
    expect(resolve({ $ref: "#/$defs/loop" }, root)).toEqual({});
    expect(resolve({ $ref: "#/nowhere" }, root)).toEqual({});
    const part = (name: string): Schema => ({ properties: { [name]: { type: "string" } }, required: [name] });
    expect(resolve({ allOf: [part("p"), part("q")], description: "both" }, root)).toEqual({
      description: "both",
      type: "object",
      properties: { p: { type: "string" }, q: { type: "string" } },
      required: ["p", "q"],
    });
  });

  test("tells alternatives apart in a few words", () => {
    const schema: Schema = {
      oneOf: [
        { type: "string" },
        { type: "null" },
        { properties: { kind: { const: "card" }, number: {} } },
        { properties: { a: {}, b: {}, c: {}, d: {} } },
        { title: "A postal address", properties: { street: {} } },
        {},
      ],
    };
    expect(alternativesOf(schema, schema).map(wordsOf)).toEqual([
      "text",
      "null",
      "kind card",
      "with a, b, c …",
      "A postal address",
      "JSON",
    ]);
    expect(choicesOf({ anyOf: [{ const: 1 }, { enum: ["a", "b"] }, { type: "null" }] })).toEqual([1, "a", "b", null]);
    expect(choicesOf({ anyOf: [{ const: 1 }, { type: "string" }] })).toBeUndefined();
  });

  test("tells the bounds that somebody has set", () => {
    expect(boundsOf({ minimum: -(2 ** 53) + 1, maximum: 10, multipleOf: 2 })).toBe("to 10, a multiple of 2");
    expect(boundsOf({ exclusiveMinimum: 0, exclusiveMaximum: 1 })).toBe("more than 0, less than 1");
    expect(boundsOf({ minItems: 1, maxItems: 3 })).toBe("1 or more, 3 at most");
    expect(boundsOf({ minLength: 2, maxLength: 5, format: "email", pattern: "@" })).toBe(
      "2 characters or more, 5 characters at most, email",
    );
  });
});
