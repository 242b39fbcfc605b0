// Whatever a flow or a tool throws or gives, its task ends FAILED, with an error that can be read.

import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { ContractError, defineFlow, defineTool, call, StepError } from "../../src/sdk/taskonaut.ts";
import { DATABASES } from "../support/databases.ts";
import { useWorlds } from "../support/worlds.ts";

function gotcha(): never {
  throw new Error("gotcha");
}

const handler = { get: gotcha, getPrototypeOf: gotcha, has: gotcha, ownKeys: gotcha };

/** Made anew each time: an error may be looked at once only. */
const ODD: Readonly<Record<string, () => unknown>> = {
  null: () => null,
  "a function": () => gotcha,
  "a Proxy that throws": () => new Proxy({}, handler),
  "a Proxy of an error": () => new Proxy(new Error("x"), handler),
  "a Proxy that is deeper than the stack": () => {
    let deep: object = {};
    for (let depth = 0; depth < 100_000; depth++) deep = new Proxy(deep, {});
    return deep;
  },
  "a text that cannot be shown": () => ({ toString: gotcha }),
  "a getter that throws": () => Object.defineProperty(new Error("x"), "message", { get: gotcha }),
  "a contract error with a bigint": () => Object.assign(new ContractError("It", []), { errors: [{ path: 1n }] }),
  "a contract error that holds itself": () => {
    const error = new ContractError("It", []);
    return Object.assign(error, { errors: [error] });
  },
  "a step error without a reason": () =>
    Object.assign(new StepError("pay", { name: "Odd", message: "" }), { reason: 1n }),
  "a huge message with NUL and halves": () => new Error(`\0\ud800${"x".repeat(1_000_000)}`),
};

const oddity = v.picklist(Object.keys(ODD));

const thrower = defineTool({
  name: "thrower",
  input: oddity,
  output: v.unknown(),
  retry: { attempts: 2, base: 1 },
  run: (what) => {
    throw ODD[what]?.();
  },
});

const flows = [
  defineFlow({
    name: "throws",
    input: oddity,
    // oxlint-disable-next-line require-yield -- it throws before
    *run(what) {
      throw ODD[what]?.();
    },
  }),
  defineFlow({
    name: "gives",
    input: oddity,
    *run(what) {
      yield* [];
      return { odd: ODD[what]?.(), at: new Date(0) };
    },
  }),
  defineFlow({
    name: "calls",
    input: oddity,
    *run(what) {
      yield* call(thrower, what);
    },
  }),
];

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  test.each(flows.map(({ name }) => name))(
    "a flow that %s something odd is FAILED, and says what it can",
    async (flow) => {
      const { engine } = worlds.open(flows).engine();
      for (const input of Object.keys(ODD)) {
        const { task } = await engine.createTask({ flow, input });
        const { status, error_message } = await engine.runTask(task.id);
        expect([input, status]).toEqual([input, "FAILED"]);
        expect(error_message?.length).toBeWithin(1, 5000);
      }
    },
  );
});

class Conflict extends Error {}

const insert = defineTool({
  name: "insert",
  input: v.picklist(["code", "class"]),
  output: v.unknown(),
  retry: { attempts: 1 },
  run(how) {
    if (how === "code") throw Object.assign(new Error("duplicate key"), { code: "23505" });
    throw new Conflict("taken");
  },
});

const inserts = defineFlow({
  name: "inserts",
  input: v.object({}),
  *run() {
    const seen: string[] = [];
    for (const how of ["code", "class"] as const) {
      try {
        yield* call(insert, how);
      } catch (error) {
        if (error instanceof StepError) seen.push(error.reason.code === "23505" ? "code" : error.reason.name);
      }
    }
    yield* call(insert, "class", { as: seen.join("-") });
  },
});

describe.each(DATABASES)("on %s", (_name, create) => {
  const worlds = useWorlds(create);

  test("a flow tells errors apart by class and code, live and on replay, and the record says where each was thrown", async () => {
    const world = worlds.open([inserts]);
    const { engine } = world.engine();
    const { task } = await engine.createTask({ flow: "inserts", input: {} });
    const ended = await engine.runTask(task.id);
    expect(ended.error).toMatchObject({ name: "Conflict", message: "code-Conflict: taken" });
    expect(ended.steps.map(({ error }) => [error?.name, error?.code])).toEqual([
      ["Error", "23505"],
      ["Conflict", undefined],
      ["Conflict", undefined],
    ]);
    for (const { error } of ended.steps) expect(error?.at).toMatch(/odd-errors\.test\.ts:\d+:\d+$/);
    // another process replays it
    const other = world.engine().engine;
    await other.retryTask(task.id);
    expect((await other.runTask(task.id)).error).toEqual(ended.error);
  });
});
