import { expect, test } from "bun:test";
import * as v from "valibot";
import { defineFlow } from "../../core/flow/flow.ts";
import { DEFAULT_LIMITS } from "../../core/limits.ts";
import { Flows } from "./flows.ts";

test("a default that a function makes is no part of the published schema; one that is the same each time is", async () => {
  const input = v.object({
    id: v.optional(v.string(), () => "made anew"),
    list: v.nullish(v.array(v.string()), () => []),
    size: v.optional(v.string(), "small"),
  });
  const { input_schema } = await new Flows([defineFlow({ name: "f", input, plan: () => [] })], DEFAULT_LIMITS).describe(
    "f",
  );
  expect(input_schema).toMatchObject({ properties: { size: { default: "small" } }, required: [] });
  expect(JSON.stringify(input_schema)).not.toContain("made anew");
  expect(input_schema["properties"]).toEqual({
    id: { type: "string" },
    list: { anyOf: [{ type: "array", items: { type: "string" } }, { type: "null" }] },
    size: { type: "string", default: "small" },
  });
});

test("a flow that is not there is named with the nearest that is, and all of them", () => {
  const flow = (name: string) => defineFlow({ name, input: v.object({}), plan: () => [] });
  const flows = new Flows([flow("order"), flow("checkout")], DEFAULT_LIMITS);
  expect(() => flows.find("ordr")).toThrow('Flow "ordr" not found; did you mean order? Known flows: checkout, order.');
  expect(() => flows.find("nothing")).toThrow('Flow "nothing" not found. Known flows: checkout, order.');
});

test("a flow's limit is told with it", async () => {
  const flow = (concurrency?: number) =>
    defineFlow({ name: "f", input: v.object({}), plan: () => [], ...(concurrency !== undefined && { concurrency }) });
  expect((await new Flows([flow(3)], DEFAULT_LIMITS).describe("f")).concurrency).toBe(3);
  expect((await new Flows([flow()], DEFAULT_LIMITS).describe("f")).concurrency).toBeNull();
});

test("the engine's own flow is made when somebody needs it, and once", async () => {
  let made = 0;
  const make = () => {
    made += 1;
    return defineFlow({ name: "taskonaut.own", input: v.object({}), plan: () => [] });
  };
  const order = defineFlow({ name: "order", input: v.object({}), plan: () => [] });
  const flows = new Flows([order], DEFAULT_LIMITS, { name: "taskonaut.own", make });
  expect(flows.names).toEqual(["order", "taskonaut.own"]);
  expect(flows.codes).toEqual({});
  expect((await flows.describeAll()).map(({ name }) => name)).toEqual(["order"]);
  expect(flows.find("order").name).toBe("order");
  expect(made).toBe(0);
  expect(flows.all().map(({ name }) => name)).toEqual(["order", "taskonaut.own"]);
  expect(flows.get("taskonaut.own")?.name).toBe("taskonaut.own");
  expect(made).toBe(1);
});
