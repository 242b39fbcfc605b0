import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TaskonautError } from "../errors.ts";
import { ContractError, readError, StepError, type StoredError, storeError } from "./stored-error.ts";

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

/** Where an error was made has a test of its own. */
function stored(thrown: unknown): unknown {
  const { at: _at, ...error } = readError(storeError(thrown));
  return error;
}

describe("an error is stored", () => {
  test("with the name of its class and its message", () => {
    expect(stored(new TypeError("no"))).toEqual({ name: "TypeError", message: "no" });
  });

  test("with the name of its own class where that says nothing of its name", () => {
    class Declined extends Error {}
    class OddInput extends TypeError {}
    class Named extends RangeError {
      override readonly name = "OutOfRange";
    }
    const names = [new Declined(""), new OddInput(""), new Named(""), new RangeError("")].map(stored);
    expect(names).toMatchObject([
      { name: "Declined" },
      { name: "OddInput" },
      { name: "OutOfRange" },
      { name: "RangeError" },
    ]);
  });

  test("by its code where it is one of the product", () => {
    expect(stored(new TaskonautError("flow_invalid", "no"))).toEqual({ name: "flow_invalid", message: "no" });
  });

  test("with its place, also where it is one of the product", () => {
    expect(readError(storeError(new TaskonautError("flow_invalid", "no"))).at).toContain(import.meta.path);
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
    ["a plain object", { kind: 7 }, '{"kind":7}'],
    ["a list", [1, "a", { b: 2n }], '[1,"a",{"b":"2"}]'],
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
      const { fields: _fields, ...error } = stored(thrown) as StoredError;
      expect(error).toEqual({ name: "Error", message });
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

  test("with the class that threw it, where that has no name of its own", () => {
    class HttpError extends Error {}
    expect(stored(new HttpError("no"))).toEqual({ name: "HttpError", message: "no" });
  });

  test("with its code, what plain values it has, and nothing that it carries along", () => {
    const error = Object.assign(new Error("no route"), {
      code: "ECONNREFUSED",
      errno: -111,
      port: 5432,
      request: { headers: { authorization: "secret" } },
      retry: () => {},
    });
    expect(stored(error)).toEqual({
      name: "Error",
      message: "no route",
      code: "ECONNREFUSED",
      fields: { errno: -111, port: 5432 },
    });
  });

  test("with its causes, up to a depth, also where they go round in a circle", () => {
    const root = Object.assign(new Error("disk"), { code: "EIO" });
    const error = stored(new Error("save", { cause: new TypeError("write", { cause: root }) })) as StoredError;
    expect(error.cause).toMatchObject({ name: "TypeError", message: "write", cause: { message: "disk", code: "EIO" } });
    const circle = new Error("round");
    circle.cause = circle;
    let depth = 0;
    for (let each: StoredError | undefined = stored(circle) as StoredError; each; each = each.cause) depth += 1;
    expect(depth).toBe(6);
    expect(stored(new Error("x", { cause: "a text" }))).toMatchObject({ cause: { name: "Error", message: "a text" } });
  });

  test("with the members of an AggregateError", () => {
    const error = new AggregateError([new TypeError("a"), "b"], "all failed");
    expect(stored(error)).toMatchObject({
      name: "AggregateError",
      message: "all failed",
      members: [{ name: "TypeError", message: "a" }, { message: "b" }],
    });
  });

  test("cut, where it holds errors without end", () => {
    const holder = (depth: number): Error =>
      new AggregateError(depth === 0 ? [] : Array.from({ length: 10 }, () => holder(depth - 1)), "x".repeat(5000));
    expect(storeError(holder(4)).length).toBeLessThan(150_000);
  });

  test("with the fields of a plain object, which may have a message", () => {
    const thrown = { message: "declined", status: 402, detail: { code: "card" } };
    expect(stored(thrown)).toEqual({ name: "Error", message: "declined", fields: thrown });
    expect(stored({ big: "x".repeat(10_000) })).toMatchObject({
      fields: { big: expect.stringMatching(/^x{1024}… \(10000 characters\)$/) },
    });
    const circle: Record<string, unknown> = { status: 404 };
    circle["self"] = circle;
    expect(stored(circle)).toEqual({ name: "Error", message: '{"status":404}', fields: { status: 404 } });
  });

  test("with what a plain object says that JSON has no word for", () => {
    const thrown = {
      status: 500,
      id: 12n,
      at: new Date(0),
      of: new Map([["a", new Set([Symbol("b")])]]),
      left: Number.NaN,
    };
    const fields = { status: 500, id: "12", at: "1970-01-01T00:00:00.000Z", of: [["a", ["Symbol(b)"]]], left: "NaN" };
    expect(stored(thrown)).toEqual({ name: "Error", message: JSON.stringify(fields), fields });
    expect(stored({ toJSON: () => ({ a: 1 }), secret: 2 })).toEqual({
      name: "Error",
      message: '{"a":1}',
      fields: { a: 1 },
    });
  });

  test("with the class and the code by which a flow tells it from others, also where it is no error", () => {
    class Declined {
      readonly code = "card";
    }
    expect(stored(new Declined())).toMatchObject({ name: "Declined", code: "card" });
    expect(stored({ name: "PgError", message: "taken", code: "23505" })).toMatchObject({
      name: "PgError",
      message: "taken",
      code: "23505",
    });
    expect(stored(new WeakSet())).toEqual({ name: "WeakSet", message: UNSHOWN });
  });

  test("with the status of a response that was thrown as it came", () => {
    const response = new Response("a secret", { status: 503, statusText: "Unavailable" });
    expect(stored(response)).toEqual({
      name: "Response",
      message: "503 Unavailable",
      fields: { message: "503 Unavailable", status: 503 },
    });
  });

  test("with the errors that it holds under names of its own", () => {
    const cause = new TypeError("the cause");
    expect(stored({ status: 500, error: cause })).toMatchObject({
      message: '{"status":500}',
      fields: { status: 500 },
      cause: { name: "TypeError", message: "the cause" },
    });
    expect(stored([new Error("a"), cause])).toMatchObject({
      cause: { message: "a" },
      members: [{ name: "TypeError" }],
    });
    const original = Object.assign(new Error("outer", { cause }), {
      original: new RangeError("original"),
      again: cause,
    });
    const { members, ...outer } = stored(original) as StoredError;
    expect(outer.cause).toMatchObject({ message: "the cause" });
    expect(members).toMatchObject([{ name: "RangeError", message: "original" }]);
    class OwnAggregate extends Error {
      readonly errors = [cause, "beside"];
    }
    expect((stored(new OwnAggregate("all")) as StoredError).members).toMatchObject([{ message: "the cause" }]);
    const suppressed = new SuppressedError(new Error("at the end"), cause, "two");
    expect((stored(suppressed) as StoredError).members).toMatchObject([
      { message: "at the end" },
      { message: "the cause" },
    ]);
  });

  test("a date in UTC, whatever the time zone is", () => {
    expect(stored(new Date(0))).toEqual({ name: "Error", message: "1970-01-01T00:00:00.000Z" });
    expect(stored(new Date(Number.NaN))).toEqual({ name: "Error", message: "Invalid Date" });
  });

  test("with the place where it was made, in the user's own code rather than in a package", () => {
    const { at } = readError(storeError(new Error("here")));
    expect(at).toMatch(/\/stored-error\.test\.ts:\d+:\d+$/);
    const placeOf = (stack: string): string | undefined =>
      readError(storeError(Object.assign(new Error("x"), { stack }))).at;
    // where Bun puts the files that are compiled into a binary, ours among them: on every machine, and never on a disk
    const ours = "    at run (/$bunfs/root/a.js:1:2)";
    const packaged = "    at get (/app/node_modules/pg/lib/client.js:5:6)";
    expect(placeOf(`Error: x\n${ours}\n${packaged}\n    at /app/pay.ts:7:8`)).toBe("/app/pay.ts:7:8");
    expect(placeOf(`Error: x\n${packaged}`)).toBe("/app/node_modules/pg/lib/client.js:5:6");
    expect(placeOf(`Error: x\n${ours}\n    at native`)).toBeUndefined();
    // a piece of the runtime that has no file
    expect(placeOf(`Error: x\n${ours}\n    at run (/:1:42)`)).toBeUndefined();
  });

  test("as the step's own with all that is known of it, where a flow lets it through", () => {
    const reason = {
      name: "PgError",
      message: "no",
      code: "23505",
      at: "/pay.ts:1:2",
      cause: { name: "E", message: "c" },
    };
    expect(readError(storeError(new StepError("pay", reason)))).toEqual({ ...reason, message: "pay: no" });
  });

  test("and read as it was, whatever its message holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 50 }), (message) => {
        expect(stored(new Error(message))).toEqual({ name: "Error", message });
      }),
    );
  });
});
