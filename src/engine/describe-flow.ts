import type { Flow } from "../core/flow.ts";
import type { FlowDescription } from "../core/taskonaut.ts";

/** What people and programs may know of a flow. The schema library is loaded only here: most processes never ask. */
export async function describeFlow(flow: Flow): Promise<FlowDescription> {
  const { toJsonSchema } = await import("@valibot/to-json-schema");
  // what JSON Schema cannot say (a custom check) is left out of it; the contract itself is applied all the same
  const schema = toJsonSchema(flow.input, { target: "draft-2020-12", errorMode: "ignore", typeMode: "input" });
  return {
    name: flow.name,
    description: flow.description,
    form: flow.body.form,
    input_schema: JSON.parse(JSON.stringify(schema)) as FlowDescription["input_schema"],
  };
}
