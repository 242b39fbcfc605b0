import type { FlowDescription } from "../../core/api/taskonaut.ts";
import type { Schema } from "../../core/flow/contract.ts";

type JsonSchema = FlowDescription["input_schema"];

/**
 * Describes a contract's values as JSON Schema. A custom check that JSON Schema cannot express is left out; the
 * contract itself still applies it. The schema library is loaded only here, because most processes never need it.
 */
export async function jsonSchemaOf(contract: Schema): Promise<JsonSchema> {
  const { toJsonSchema } = await import("@valibot/to-json-schema");
  return JSON.parse(
    JSON.stringify(
      toJsonSchema(contract, {
        target: "draft-2020-12",
        errorMode: "ignore",
        typeMode: "input",
        overrideSchema: ({ valibotSchema, jsonSchema }) => withoutMadeDefault(valibotSchema, jsonSchema),
      }),
    ),
  ) as JsonSchema;
}

/** A function gives another default each time: its last value is not published as if it were the default. */
function withoutMadeDefault<S extends { readonly default?: unknown }>(
  valibotSchema: object,
  jsonSchema: S,
): S | undefined {
  if (!("default" in valibotSchema) || typeof valibotSchema.default !== "function") return undefined;
  const { default: _made, ...published } = jsonSchema;
  return published as S;
}
