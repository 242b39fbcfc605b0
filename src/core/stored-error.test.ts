import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TaskonautError } from "./errors.ts";
import { ContractError, readError, StepError, storeError } from "./stored-error.ts";

const UNSHOWN = "a value that cannot be shown was thrown";

function gotcha(): never {
  throw new Error("gotcha");
}

function throwing(of: object): object {
  return new Proxy(of, { get: gotcha, getPrototypeOf: gotcha, has: gotcha, ownKeys: gotcha });
}

function holdingItself(): object {
  const self: { self?: object } = {};
  self.self = self;
  return self;
}

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
    ["a plain object", { code: 7 }, '{"code":7}'],
    ["a list", [1, 2], "1,2"],
    ["a function", () => 5, "() => 5"],
    ["an object whose toString throws", { toString: gotcha }, UNSHOWN],
    ["an object that holds itself", holdingItself(), UNSHOWN],
    ["a Proxy that throws at everything", throwing({}), UNSHOWN],
    ["a Proxy of an error that throws at everything", throwing(new Error("x")), UNSHOWN],
    ["an error whose message is an object", Object.assign(new Error("x"), { message: throwing({}) }), UNSHOWN],
    ["an error whose name throws", Object.defineProperty(new Error("x"), "name", { get: gotcha }), "x"],
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
    expect(stored(Object.assign(new Error("x"), { name: "n".repeat(1000) }))).toEqual({
      name: "n".repeat(100),
      message: "x",
    });
  });

  test.each<[string, unknown, unknown]>([
    ["a bigint", [{ path: 1n, message: 2n }], [{ path: "1", message: "2" }]],
    ["a cycle", [holdingItself()], [{ path: "undefined", message: "undefined" }]],
    ["a Proxy", [{ path: "a", message: throwing({}) }], [{ path: "a", message: UNSHOWN }]],
    ["nothing", [null], [{ path: "undefined", message: "undefined" }]],
    ["no list", throwing({}), undefined],
  ])("also where the violations of a contract error, and of a step's, hold %s", (_what, errors, kept) => {
    for (const thrown of [
      Object.assign(new ContractError("The input", []), { errors }),
      Object.assign(new StepError("pay", { name: "Odd", message: "x" }), { reason: { name: "Odd", errors } }),
    ]) {
      const { name, errors: told } = stored(thrown) as { name: string; errors: unknown };
      expect([name, told]).toEqual([thrown instanceof StepError ? "Odd" : "ContractError", kept]);
    }
  });

  test("also where a step error has no reason, or one of the product no code", () => {
    const reasonless = Object.assign(new StepError("pay", { name: "Odd", message: "x" }), { reason: null });
    expect(stored(reasonless)).toEqual({ name: "Error", message: "pay: x" });
    const codeless = Object.assign(new TaskonautError("internal", "x"), { code: throwing({}) });
    expect(stored(codeless)).toEqual({ name: "Error", message: "x" });
  });

  test("and read as it was, whatever its message holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 50 }), (message) => {
        expect(stored(new Error(message))).toEqual({ name: "Error", message });
      }),
    );
  });
});
