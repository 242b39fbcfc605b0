// Routes about the server itself: what it has, its health and its metrics.

import type { Context } from "hono";
import * as v from "valibot";
import { ReadyAnswer } from "../core/api/pause-answers.ts";
import { Text } from "../core/api/contract.ts";
import { serveDocument } from "./openapi-route.ts";
import { answerMetrics } from "./metrics-route.ts";
import type { Route, RouteOptions } from "./route.ts";

const ApiAnswer = v.looseObject({
  name: v.literal("taskonaut"),
  version: Text,
  documentation: Text,
  links: v.record(Text, Text),
  routes: v.array(v.looseObject({ method: Text, path: Text, query: v.array(Text) })),
});

/** `all` returns the whole table, including these routes. */
export function ownRoutes(parts: RouteOptions, all: () => readonly Route[]): readonly Route[] {
  const { taskonaut, version } = parts;

  async function tellReady(c: Context): Promise<Response> {
    await taskonaut.checkReady();
    const pauses = await taskonaut.pauses.list();
    return c.json({ status: "ready", ...(pauses.length > 0 && { pauses }) });
  }

  return [
    {
      method: "GET",
      path: "/",
      needs: "see",
      about: { summary: "Tells the name, the version and every route", answers: { 200: ApiAnswer } },
      handle: async (c) => c.json(describeApi(all(), version)),
    },
    {
      method: "GET",
      path: "/openapi.json",
      needs: "see",
      about: {
        summary: "Gives this document",
        more: "It has the schemas of the loaded flows. If-None-Match with the ETag of an earlier answer is answered with 304.",
        answers: { 200: v.record(Text, v.any()), 304: "nothing" },
        headers: { ETag: "Another one as soon as the document is another." },
      },
      handle: serveDocument(parts, all),
    },
    {
      method: "GET",
      path: "/metrics",
      about: {
        summary: "Tells Prometheus what is counted",
        answers: { 200: { type: "text/plain", about: "Prometheus' text format" } },
      },
      handle: (c) => answerMetrics(c, parts.metrics),
    },
    // probes may send any parameters
    {
      method: "GET",
      path: "/healthz",
      query: "ignored",
      about: {
        summary: "Tells that the server lives",
        answers: { 200: v.looseObject({ status: v.literal("alive") }) },
      },
      handle: async (c) => c.json({ status: "alive" }),
    },
    {
      method: "GET",
      path: "/readyz",
      needs: "see",
      query: "ignored",
      about: { summary: "Tells whether the database can be used, and what is paused", answers: { 200: ReadyAnswer } },
      handle: tellReady,
    },
  ];
}

/** Lists nothing that a client could not find out by requesting each route. */
function describeApi(routes: readonly Route[], version: string): object {
  return {
    name: "taskonaut",
    version,
    documentation: "docs/http-api.md",
    links: {
      tasks: "/tasks",
      flows: "/flows",
      schedules: "/schedules",
      workers: "/workers",
      pauses: "/pauses",
      limits: "/limits",
      stats: "/stats",
      openapi: "/openapi.json",
      alive: "/healthz",
      ready: "/readyz",
    },
    routes: routes.map(({ method, path, query }) => ({
      method,
      path: path.replaceAll(/:(\w+)/g, "{$1}"),
      query: query === "ignored" ? [] : (query ?? []),
    })),
  };
}
