// The OpenAPI 3.1 document of a server, from its routes with their contracts, the schemas of the loaded flows, and the
// table of errors. Nothing in it is written twice.

import { DEFAULT_FLOW } from "../core/flow/default-flow.ts";
import { ERRORS, type ErrorCode } from "../core/errors.ts";
import { rolesFor } from "../core/api/roles.ts";
import type { FlowDescription } from "../core/api/taskonaut.ts";
import type { About, AnswerBody } from "./about.ts";
import { isOpen } from "./access.ts";
import { isAudited } from "./actor.ts";
import { Components, type JsonSchema } from "./openapi-schemas.ts";
import { IDEMPOTENCY_KEY, pathParameters, queryParameter, REASON, TRACEPARENT_HEADER } from "./parameters.ts";
import { permissionOf, type Route } from "./route.ts";

export interface DocumentOptions {
  readonly routes: readonly Route[];
  readonly flows: readonly FlowDescription[];
  /** The program's version. */
  readonly version: string;
}

/** The document as it is sent. */
export interface OpenApi {
  readonly openapi: "3.1.1";
  readonly info: JsonSchema;
  readonly servers: readonly JsonSchema[];
  readonly tags: readonly { readonly name: string }[];
  readonly security: readonly JsonSchema[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    /** The errors of one status, once for all routes with the same errors. */
    readonly responses: Readonly<Record<string, object>>;
    readonly securitySchemes: Readonly<Record<string, JsonSchema>>;
  };
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly [field: string]: unknown;
}

export function createDocument({ routes, flows, version }: DocumentOptions): OpenApi {
  const components = new Components(flows);
  const paths: Record<string, Record<string, Operation>> = {};
  const add = (path: string, route: Route, more: Extra): void => {
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, more, components) };
  };
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    const { body } = route.about;
    if (body === undefined || !("of" in body)) add(path, route, {});
    else if (body.of === "signal") {
      add(path, route, { body: {} });
      // the most specific path wins, so each declared signal has its own path
      for (const signal of signalsOf(flows)) {
        const of = { signal, body: components.signal(signal) };
        add(path.replace("{name}", signal), route, of);
      }
    } else if (!path.includes("{name}")) add(path, route, { body: components.input(DEFAULT_FLOW) });
    else {
      add(path, route, { body: {} });
      for (const { name: flow, description } of flows) {
        const of = { flow, body: components.input(flow), about: description };
        add(path.replace("{name}", flow), route, of);
      }
    }
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "taskonaut",
      version,
      summary: "Durable, deterministic flows",
      description:
        "What this server takes and answers, with the flows that it has loaded. Where it wants a token, send it as a bearer token; x-roles says who may use an operation.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "This server" }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    // on loopback no token is required as long as nobody has made one
    security: [{ token: [] }, {}],
    paths,
    components: {
      schemas: components.all(),
      responses: components.responses(),
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "A token of this server, or the one that it was started with (TASKONAUT_API_TOKEN).",
        },
      },
    },
  };
}

/** What the operation of one flow or one signal has besides its route. */
interface Extra {
  readonly flow?: string;
  readonly signal?: string;
  readonly about?: string;
  readonly body?: JsonSchema;
}

function operationOf(route: Route, extra: Extra, components: Components): Operation {
  const { about } = route;
  const own = extra.flow ?? extra.signal;
  const more = [extra.about, about.more].filter((text) => text !== undefined && text !== "");
  const body = extra.body ?? (about.body && !("of" in about.body) ? components.takes(about.body) : undefined);
  const given = new Set([extra.flow !== undefined || extra.signal !== undefined ? "name" : ""]);
  const query = route.query === "ignored" ? [] : (route.query ?? []);
  const parameters = [
    ...pathParameters(route.path).filter(({ name }) => !given.has(name)),
    ...query.map((name) => queryParameter(name, route)),
    ...(about.isIdempotent ? [IDEMPOTENCY_KEY] : []),
    ...(about.isTraced ? [TRACEPARENT_HEADER] : []),
    ...(isAudited(route) ? [REASON] : []),
  ];
  const isForAll = isOpen(route.method, route.path);
  return {
    operationId: idOf(route) + (own === undefined ? "" : `_${own}`),
    summary: own === undefined ? about.summary : summaryFor(about.summary, extra),
    ...(more.length > 0 && { description: more.join(" ") }),
    tags: [tagOf(route)],
    ...(isForAll ? { security: [] } : { "x-roles": rolesFor(permissionOf(route)) }),
    ...(about.destroys && { "x-destroys": true }),
    ...(extra.flow !== undefined && { "x-flow": extra.flow }),
    ...(extra.signal !== undefined && { "x-signal": extra.signal }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: { required: about.isBodyOptional !== true, content: { "application/json": { schema: body } } },
    }),
    responses: { ...answersOf(about, extra, components), ...problemsOf(route, components) },
  };
}

function summaryFor(summary: string, { flow, signal }: Extra): string {
  return flow === undefined ? `Sends the signal ${signal}` : summary.replace("a flow", flow);
}

function answersOf({ answers, headers }: About, { flow }: Extra, components: Components): Record<string, object> {
  const told = headers && {
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: "string" } }]),
    ),
  };
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]: [string, AnswerBody]) => {
      const description = MEANINGS[status] ?? "The answer";
      if (answer === "nothing") return [status, { description, ...told }];
      if (!("~run" in answer)) {
        const content = { [answer.type]: { schema: { type: "string" } } };
        return [status, { description: answer.about, ...told, content }];
      }
      const schema = flow === undefined ? components.gives(answer) : components.taskOf(flow);
      return [status, { description, ...told, content: { "application/json": { schema } } }];
    }),
  );
}

const MEANINGS: Readonly<Record<string, string>> = {
  200: "The answer",
  201: "It was made",
  202: "It was made, and has not ended in the time that the request waited",
  304: "As it was",
};

/** The errors that the route may answer, by status. */
function problemsOf(route: Route, components: Components): Record<string, object> {
  const byStatus = Map.groupBy(errorsOf(route), (code) => ERRORS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [status, components.problem(status, codes.toSorted())]),
  );
}

/** Most errors follow from the route's parameters and body. The route adds the rest itself. */
function errorsOf(route: Route): readonly ErrorCode[] {
  const { method, path, about } = route;
  const codes = new Set<ErrorCode>(["origin_forbidden", "shutting_down", ...(about.errors ?? [])]);
  if (!isOpen(method, path)) for (const code of GUARDED) codes.add(code);
  if (route.query !== "ignored") codes.add("input_invalid");
  if (path.startsWith("/tasks/:id")) codes.add("task_id_invalid").add("task_not_found");
  if (method === "POST" && about.body) for (const code of OF_BODY) codes.add(code);
  return [...codes];
}

const GUARDED = [
  "unauthorized",
  "too_many_attempts",
  "forbidden",
  "internal",
  "database_unavailable",
  "database_not_found",
  "database_behind",
  "database_ahead",
  "record_damaged",
] as const;

const OF_BODY = ["body_invalid", "body_too_large", "content_type_unsupported", "input_invalid"] as const;

/** `GET /tasks/:id` → `get_tasks_id`. Stable, because generators name functions by it. */
function idOf({ method, path }: Route): string {
  const words = path
    .replaceAll(/[:{}]/g, "")
    .split(/\W+/)
    .filter((word) => word !== "");
  return [method.toLowerCase(), ...(words.length === 0 ? ["root"] : words)].join("_");
}

function tagOf({ path }: Pick<Route, "path">): string {
  const [, first = ""] = path.split("/");
  return TAGS[first] ?? (first === "" ? "server" : first);
}

const TAGS: Readonly<Record<string, string>> = {
  "task-ids": "tasks",
  bulk: "tasks",
  purge: "tasks",
  "openapi.json": "server",
  metrics: "server",
  healthz: "server",
  readyz: "server",
};

function signalsOf(flows: readonly FlowDescription[]): readonly string[] {
  return [...new Set(flows.flatMap(({ signals }) => Object.keys(signals)))].toSorted();
}
