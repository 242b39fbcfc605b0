// GET /openapi.json: made once, on the first request. The flows of a process do not change.

import type { Context } from "hono";
import type { Route, RouteOptions } from "./route.ts";

interface Written {
  readonly text: string;
  readonly etag: string;
}

export function serveDocument(
  { taskonaut, version }: Pick<RouteOptions, "taskonaut" | "version">,
  routes: () => readonly Route[],
): (c: Context) => Promise<Response> {
  let writing: Promise<Written> | undefined;

  async function write(): Promise<Written> {
    // it is rarely requested, and its libraries load slowly
    const [{ createDocument }, flows] = await Promise.all([import("./openapi.ts"), taskonaut.listFlows()]);
    const text = JSON.stringify(createDocument({ routes: routes(), flows, version }));
    return { text, etag: `"${Bun.hash(text).toString(36)}"` };
  }

  return async (c) => {
    writing ??= write();
    // a failed attempt is repeated on the next request
    writing.catch(() => (writing = undefined));
    const { text, etag } = await writing;
    const headers = { ETag: etag, "Cache-Control": "no-cache" };
    if (c.req.header("if-none-match") === etag) return c.body(null, 304, headers);
    return c.body(text, 200, { ...headers, "Content-Type": "application/json" });
  };
}
