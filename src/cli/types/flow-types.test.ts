import { expect, test } from "bun:test";
import type { FlowDescription } from "../../core/api/taskonaut.ts";
import type { Json } from "../../core/record/json-value.ts";
import { ECHO_ADD } from "../../../test/support/fake-flows.ts";
import { writeFlowTypes } from "./flow-types.ts";
import { typeOf } from "./schema-types.ts";

const noRefs = (ref: string): string => ref;

test.each<[Json, string]>([
  [{ type: "string", minLength: 2 }, "string"],
  [{ type: "integer" }, "number"],
  [{ type: ["string", "null"] }, "string | null"],
  [{ anyOf: [{ type: "string" }, { type: "string" }, { type: "null" }] }, "string | null"],
  [{ anyOf: [{ type: "string" }, {}] }, "unknown"],
  [{ enum: ["a", 1, null, true] }, '"a" | 1 | null | true'],
  [{ const: 'a"b' }, '"a\\"b"'],
  [{ type: "array", items: { type: ["string", "null"] } }, "(string | null)[]"],
  [{ type: "array", items: { type: "array", items: { type: "number" } } }, "number[][]"],
  [{ type: "array" }, "unknown[]"],
  [{ type: "array", prefixItems: [{ type: "string" }, { type: "number" }], items: false }, "[string, number]"],
  [{ type: "array", prefixItems: [{ type: "string" }], items: { type: "number" } }, "[string, ...number[]]"],
  [{ type: "object", additionalProperties: { type: "number" } }, "Record<string, number>"],
  [{ type: "object" }, "Record<string, unknown>"],
  [{ type: "object", properties: {}, additionalProperties: false }, "Record<string, never>"],
  [{ allOf: [{ $ref: "A" }, { enum: ["x", "y"] }] }, 'A & ("x" | "y")'],
  [{}, "unknown"],
  [true, "unknown"],
  [false, "never"],
])("%j is %s", (schema, type) => {
  expect(typeOf(schema, noRefs)).toBe(type);
});

test("fields have their comments, which no text can end, and names that TypeScript takes", () => {
  const schema = {
    type: "object",
    properties: {
      "a-b": { type: "string", description: "an */ end\n\u001b\u009bof it\u202e" },
      c: { type: "object", properties: { d: {} } },
    },
    required: ["a-b"],
  };
  expect(typeOf(schema, noRefs)).toBe(
    `{\n  /** an *\\/ end of it\\u202e */\n  "a-b": string;\n  c?: {\n    d?: unknown;\n  };\n}`,
  );
});

test("what a schema defines for itself becomes a type of its own, under a name that nothing else has", () => {
  const tree = {
    type: "object",
    properties: { children: { type: "array", items: { $ref: "#/$defs/0" } } },
  };
  const input_schema = { $ref: "#/$defs/0", $defs: { "0": tree } };
  const flow: FlowDescription = {
    ...ECHO_ADD,
    name: "tree",
    description: "",
    form: "run",
    input_schema,
    signals: { grow: input_schema, "a.b": { type: "null" } },
  };
  expect(
    writeFlowTypes([
      flow,
      { ...flow, name: "Tree", signals: {}, input_schema: { properties: { next: { $ref: "#" } } } },
    ]),
  ).toBe(`// The types of flows, as taskonaut wrote them. For createClient<Flows>(…) of "taskonaut/client".

export interface Flows {
  tree: {
    input: Tree0;
    output: unknown;
    signals: {
      grow: TreeGrow0;
      "a.b": null;
    };
  };
  Tree: {
    input: Tree;
    output: unknown;
    signals: {};
  };
}

type TreeGrow0 = {
  children?: TreeGrow0[];
};

type Tree0 = {
  children?: Tree0[];
};

type Tree = {
  next?: Tree;
};
`);
});
