// One route of the API. The table is in `routes.ts`; a file per area gives its rows.

import type { Context } from "hono";
import type { Taskonaut } from "../core/api/taskonaut.ts";
import type { Log } from "../core/log.ts";

export interface Route {
  readonly method: "GET" | "POST";
  /** As Hono writes it: `/tasks/:id`. */
  readonly path: string;
  /** Names of the parameters that it takes and checks itself; by default it takes none. `ignored`: whatever comes. */
  readonly query?: readonly string[] | "ignored";
  readonly handle: (c: Context) => Promise<Response>;
}

export interface RouteOptions {
  readonly taskonaut: Taskonaut;
  readonly maxBodyBytes: number;
  readonly log: Log;
  /** Of the program. */
  readonly version: string;
  readonly onLongWait: (request: Request) => void;
}

/** A parameter of the path that the route has. */
export function param(c: Context, name: string): string {
  return c.req.param(name) ?? "";
}
