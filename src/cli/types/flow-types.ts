// The types of flows, for a program that asks a server for tasks of them.

import type { FlowDescription } from "../../core/api/taskonaut.ts";
import type { Json } from "../../core/record/json-value.ts";
import { commentOf, type JsonSchema, keyOf, typeOf } from "./schema-types.ts";

const HEAD = `// The types of flows, as taskonaut wrote them. For createClient<Flows>(…) of "taskonaut/client".
`;

/** The text of a \`.d.ts\`. What a flow gives is known where it is a plan: an object with a field for each step. */
export function writeFlowTypes(flows: readonly FlowDescription[]): string {
  const extra: string[] = [];
  const names = new Set<string>(["Flows"]);
  const entries = flows.map((flow) => {
    const title = titleOf(flow.name);
    const signals = Object.entries(flow.signals).map(
      ([name, schema]) => `      ${keyOf(name)}: ${written(schema, `${title}${titleOf(name)}`, "      ")};\n`,
    );
    return [
      ...commentOf({ description: flow.description }, "  "),
      `  ${keyOf(flow.name)}: {`,
      `    input: ${written(flow.input_schema, title, "    ")};`,
      `    output: ${flow.form === "plan" ? "Record<string, unknown>" : "unknown"};`,
      signals.length === 0 ? "    signals: {};" : `    signals: {\n${signals.join("")}    };`,
      "  };",
    ].join("\n");
  });
  return [HEAD, `export interface Flows {\n${entries.join("\n")}\n}`, ...extra].join("\n").trimEnd() + "\n";

  /** What the schema defines for itself becomes a type of its own. */
  function written(schema: JsonSchema, title: string, indent: string): string {
    const own = (schema["$defs"] ?? {}) as JsonSchema;
    const titles = new Map(Object.keys(own).map((key) => [`#/$defs/${key}`, unused(title + titleOf(key))]));
    const refersToItself = JSON.stringify(schema).includes('"$ref":"#"');
    if (refersToItself) titles.set("#", unused(title));
    const refOf = (ref: string): string => titles.get(decodeURIComponent(ref)) ?? "unknown";
    for (const [key, each] of Object.entries(own)) declare(titles.get(`#/$defs/${key}`) ?? "", each, refOf);
    if (!refersToItself) return typeOf(schema, refOf, indent);
    declare(titles.get("#") ?? "", schema, refOf);
    return titles.get("#") ?? "unknown";
  }

  function declare(name: string, schema: Json, refOf: (ref: string) => string): void {
    extra.push(`\ntype ${name} = ${typeOf(schema, refOf)};`);
  }

  function unused(name: string): string {
    let free = name;
    for (let n = 2; names.has(free); n++) free = `${name}${n}`;
    names.add(free);
    return free;
  }
}

/** `echo_add` → `EchoAdd`; a name begins with a letter, what it defines may not. */
function titleOf(name: string): string {
  return name
    .split(/[^A-Za-z\d]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}
