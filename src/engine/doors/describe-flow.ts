import type { Schema } from "../../core/flow/contract.ts";
import type { Flow } from "../../core/flow/flow.ts";
import type { FlowDescription } from "../../core/api/taskonaut.ts";

type JsonSchema = FlowDescription["input_schema"];

/** What people and programs may know of a flow. The schema library is loaded only here: most processes never ask. */
export async function describeFlow(flow: Flow): Promise<FlowDescription> {
  const { toJsonSchema } = await import("@valibot/to-json-schema");
  // what JSON Schema cannot say (a custom check) is left out of it; the contract itself is applied all the same
  const convert = (schema: Schema): JsonSchema =>
    JSON.parse(
      JSON.stringify(
        toJsonSchema(schema, {
          target: "draft-2020-12",
          errorMode: "ignore",
          typeMode: "input",
          overrideSchema: ({ valibotSchema, jsonSchema }) => withoutMadeDefault(valibotSchema, jsonSchema),
        }),
      ),
    ) as JsonSchema;
  return {
    name: flow.name,
    description: flow.description,
    form: flow.body.form,
    file: flow.file ?? null,
    input_schema: convert(flow.input),
    signals: Object.fromEntries([...flow.signals].map(([name, schema]) => [name, convert(schema)])),
  };
}

/** A default that a function makes is another one each time: what it gave just now is not published as if it were the default. */
function withoutMadeDefault<S extends { readonly default?: unknown }>(
  valibotSchema: object,
  jsonSchema: S,
): S | undefined {
  if (!("default" in valibotSchema) || typeof valibotSchema.default !== "function") return undefined;
  const { default: _made, ...published } = jsonSchema;
  return published as S;
}
