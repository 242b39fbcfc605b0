// What the page reads of an OpenAPI document.

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

/** In the order of the document. */
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

/** What several operations answer is told once in the document. */
function answerAt(ref: string, { responses = {} }: Document["components"]): Answer {
  return responses[ref.split("/").at(-1) ?? ""] ?? { description: "" };
}

/** A schema within which the references of the document lead somewhere. */
export function within(schema: Schema, { components: { schemas = {} } }: Document): Schema {
  return { ...schema, components: { schemas } };
}

/** What the parameters say, each as a text; "" is left out. A parameter of several values has one on each line. */
export type Values = Readonly<Record<string, string>>;

/** Undefined as long as a part of the path is missing. */
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

/** The same on a command line. */
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
