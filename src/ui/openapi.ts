// The parts of an OpenAPI document that the page reads.

import type { Json } from "../core/record/json-value.ts";

export type Schema = { readonly [key: string]: Json };

export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path" | "header";
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

interface OperationObject {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, { schema: Schema }>>;
  };
  readonly responses: Readonly<Record<string, Answer | { readonly $ref: string }>>;
  readonly "x-roles"?: readonly string[];
  readonly "x-destroys"?: boolean;
}

interface Answer {
  readonly description: string;
  readonly content?: object;
}

export interface Operation extends Omit<OperationObject, "responses"> {
  readonly responses: Readonly<Record<string, Answer>>;
  readonly method: string;
  readonly path: string;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: { readonly schemas?: Json; readonly responses?: Readonly<Record<string, Answer>> };
}

/** In the document's order. */
export function operationsOf({ paths, components }: Document): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { responses, ...operation }]) => ({
      ...operation,
      responses: Object.fromEntries(
        Object.entries(responses).map(([status, one]) => [
          status,
          "$ref" in one ? answerAt(one.$ref, components) : one,
        ]),
      ),
      method: method.toUpperCase(),
      path,
    })),
  );
}

/** The document has each answer once, also if several operations share it. */
function answerAt(ref: string, { responses = {} }: Document["components"]): Answer {
  return responses[ref.split("/").at(-1) ?? ""] ?? { description: "" };
}

/** A schema in which the document's references resolve. */
export function within(schema: Schema, { components: { schemas = {} } }: Document): Schema {
  return { ...schema, components: { schemas } };
}

/** The values of the parameters, as texts; "" is left out. A parameter with several values has one per line. */
export type Values = Readonly<Record<string, string>>;

/** Undefined as long as a path parameter is missing. */
export function addressOf({ path, parameters = [] }: Operation, values: Values): string | undefined {
  let address = path;
  const query = new URLSearchParams();
  for (const { name, in: place, schema } of parameters) {
    const text = values[name] ?? "";
    if (place === "path") {
      if (text === "") return undefined;
      address = address.replace(`{${name}}`, encodeURIComponent(text));
    } else if (place === "query" && text !== "") {
      for (const each of schema["type"] === "array" ? text.split("\n").filter((line) => line !== "") : [text]) {
        query.append(name, each);
      }
    }
  }
  return query.size === 0 ? address : `${address}?${query.toString()}`;
}

export function headersOf({ parameters = [] }: Operation, values: Values): Readonly<Record<string, string>> {
  return Object.fromEntries(
    parameters.flatMap(({ name, in: place }) => {
      const text = values[name] ?? "";
      return place === "header" && text !== "" ? [[name, text]] : [];
    }),
  );
}

/** The same call as a curl command. */
export function curlOf(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  json: string | undefined,
): string {
  const words = ["curl", ...(method === "GET" ? [] : ["-X", method]), quoted(url)];
  for (const [name, text] of Object.entries(headers)) words.push("-H", quoted(`${name}: ${text}`));
  if (json !== undefined) words.push("-H", quoted("Content-Type: application/json"), "-d", quoted(json));
  return words.join(" ");
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
