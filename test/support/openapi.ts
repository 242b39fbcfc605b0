// Holds answers to an OpenAPI document: each has a status, a type and a body that the document knows, and no field that it
// does not.

import Ajv, { type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { OpenApi } from "../../src/server/openapi.ts";

type Json = { readonly [key: string]: unknown };

export interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: Json;
  readonly responses: Readonly<Record<string, Answer | { readonly $ref: string }>>;
}

interface Answer {
  readonly content?: Readonly<Record<string, unknown>>;
  readonly headers?: Json;
}

export class Contract {
  readonly #ajv: Ajv;
  /** `GET /tasks/{id}` → what the document says of it. */
  readonly operations: ReadonlyMap<string, Operation>;

  constructor(readonly document: OpenApi) {
    this.#ajv = new Ajv({ strict: false, allErrors: true, inlineRefs: false });
    addFormats(this.#ajv);
    this.#ajv.addSchema(closed(document) as object, "api");
    this.operations = new Map(
      Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(
          ([method, each]) => [`${method.toUpperCase()} ${path}`, each as unknown as Operation] as const,
        ),
      ),
    );
  }

  /** The body, read. Throws where the answer is not as the document says. */
  async check(key: string, response: Response): Promise<unknown> {
    const operation = this.operations.get(key);
    if (!operation) throw new Error(`The document has no ${key}.`);
    const { status } = response;
    // a stream does not end
    const isStream = response.headers.get("content-type") === "text/event-stream";
    if (isStream) await response.body?.cancel();
    const text = isStream ? "" : await response.text();
    const said = operation.responses[status];
    if (!said) throw new Error(`${key} answered ${status}, which the document does not know: ${text}`);
    const [answer, at] = this.#answerOf(said, key, status);
    const { content } = answer;
    if (!content) {
      if (text !== "")
        throw new Error(`${key} answered ${status} with a body that the document does not know: ${text}`);
      return undefined;
    }
    const type = (response.headers.get("content-type") ?? "").replace(/;.*$/, "");
    if (!(type in content)) throw new Error(`${key} answered ${status} as ${type}, which the document does not know.`);
    if (!type.endsWith("json")) return text;
    const body: unknown = JSON.parse(text);
    const validate = this.#validator([...at, "content", type, "schema"]);
    if (validate(body)) return body;
    throw new Error(`${key} answered ${status} not by its schema: ${this.#ajv.errorsText(validate.errors)}\n${text}`);
  }

  /** With its place in the document: what several operations answer is told once, in the components. */
  #answerOf(said: Operation["responses"][string], key: string, status: number): [Answer, readonly string[]] {
    const [method = "", path = ""] = key.split(" ");
    if (!("$ref" in said)) return [said, ["paths", path, method.toLowerCase(), "responses", String(status)]];
    const at = said.$ref.split("/").slice(1);
    const answer = this.document.components.responses[at.at(-1) ?? ""];
    if (!answer) throw new Error(`${key} answers ${said.$ref}, which the document does not have.`);
    return [answer, at];
  }

  #validator(at: readonly string[]): ValidateFunction {
    const ref = at.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
    const validate = this.#ajv.getSchema(`api#/${ref}`);
    if (!validate) throw new Error(`There is no schema at ${ref}.`);
    return validate;
  }
}

/** The document, with objects that take no field which it does not name. What `allOf` puts together is left as it is. */
function closed(value: unknown, isPart = false): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => closed(each, isPart));
  if (typeof value !== "object" || value === null) return value;
  const copy = Object.fromEntries(
    Object.entries(value).map(([key, each]: [string, unknown]) => [key, closed(each, key === "allOf")]),
  );
  const isObject = copy["type"] === "object" && "properties" in copy && !("additionalProperties" in copy);
  return isObject && !isPart ? { ...copy, additionalProperties: false } : copy;
}
