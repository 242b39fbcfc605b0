import type { FlowDescription } from "../../core/api/taskonaut.ts";
import type { Schema } from "../../core/flow/contract.ts";

type JsonSchema = FlowDescription["input_schema"];

/**
 * What a contract takes, as JSON Schema. What JSON Schema cannot say (a custom check) is left out; the contract itself is
 * applied all the same. The schema library is loaded only here: most processes never ask.
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

/** A default that a function makes is another one each time: what it gave just now is not published as if it were the default. */
function withoutMadeDefault<S extends { readonly default?: unknown }>(
  valibotSchema: object,
  jsonSchema: S,
): S | undefined {
  if (!("default" in valibotSchema) || typeof valibotSchema.default !== "function") return undefined;
  const { default: _made, ...published } = jsonSchema;
  return published as S;
}
