import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TaskonautError } from "./errors.ts";
import { ContractError, readError, StepError, storeError } from "./stored-error.ts";

const stored = (thrown: unknown): unknown => readError(storeError(thrown));

describe("an error is stored", () => {
  test("with the name of its class and its message", () => {
    expect(stored(new TypeError("no"))).toEqual({ name: "TypeError", message: "no" });
  });

  test("by its code where it is one of the product", () => {
    expect(stored(new TaskonautError("flow_invalid", "no"))).toEqual({ name: "flow_invalid", message: "no" });
  });

  test("with every violation where a contract was broken", () => {
    const errors = [
      { path: "a", message: "required" },
      { path: "", message: "odd" },
    ];
    expect(stored(new ContractError("The input", errors))).toEqual({
      name: "ContractError",
      message: "The input: a: required; odd",
      errors,
    });
  });

  test("as the step's own where a flow lets a step's error through", () => {
    const thrown = new StepError("pay", { name: "TypeError", message: "no money" });
    expect(stored(thrown)).toEqual({ name: "TypeError", message: "pay: no money" });
  });

  test("cut, where its message is very long", () => {
    const { message } = stored(new Error("x".repeat(100_000))) as { message: string };
    expect(message).toEndWith("x… (100000 characters)");
    expect(message.length).toBeLessThan(5000);
  });

  // whatever a tool throws, recording it must not throw again: the step would never get its outcome
  const odd: readonly (readonly [what: string, thrown: unknown, message: string])[] = [
    ["a text", "broken", "broken"],
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["an object without a prototype", Object.create(null), "a value that cannot be shown was thrown"],
    ["an error whose message is a number", Object.assign(new Error("x"), { message: 5 }), "5"],
    ["an error without a message", Object.assign(new Error("x"), { message: undefined }), "undefined"],
    [
      "an error whose message throws",
      Object.defineProperty(new Error("x"), "message", {
        get(): never {
          throw new Error("gotcha");
        },
      }),
      "a value that cannot be shown was thrown",
    ],
  ];
  for (const [what, thrown, message] of odd) {
    test(`also where ${what} was thrown`, () => {
      expect(stored(thrown)).toEqual({ name: "Error", message });
    });
  }

  test("also where its name is no text", () => {
    expect(stored(Object.assign(new Error("x"), { name: { odd: true } }))).toEqual({
      name: "[object Object]",
      message: "x",
    });
  });

  test("and read as it was, whatever its message holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 50 }), (message) => {
        expect(stored(new Error(message))).toEqual({ name: "Error", message });
      }),
    );
  });
});
